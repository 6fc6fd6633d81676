import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { startServer } from '../helpers/start-server.ts';

interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[];
}

const dashboard = JSON.parse(readFileSync('docs/grafana-dashboard.json', 'utf8')) as Dashboard;
const exprs = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

test('the dashboard for Grafana asks for figures that /metrics has, for each by its kind', async () => {
  const server = await startServer({ journal: new MemoryJournal() });
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const kinds = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', kind = '']) => [name, kind]));
  const asked = exprs.flatMap((expr) => [...expr.matchAll(/(rate\()?(shannon_dash_\w+)/g)]);
  expect(asked.length).toBeGreaterThan(20);
  for (const [, rate, name = ''] of asked) {
    const kind = name.endsWith('_bucket') ? 'histogram' : rate === undefined ? 'gauge' : 'counter';
    expect([name, kinds.get(name.replace(/_bucket$/, ''))]).toEqual([name, kind]);
  }
  const shown = new Set(asked.map(([, , name = '']) => name.replace(/_bucket$/, '')));
  // The older count of what `shannon_dash_cuts_total` tells by reason.
  expect([...kinds.keys()].filter((name) => !shown.has(name))).toEqual(['shannon_dash_slow_consumers_total']);
});

test('every panel has a place of its own', () => {
  expect(new Set(dashboard.panels.map(({ title }) => title)).size).toBe(dashboard.panels.length);
});
