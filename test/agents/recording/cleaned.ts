import { basename } from 'node:path';
import type { AgentHome } from '../agents/driven-agent.ts';

const ids: readonly [RegExp, (count: number) => string][] = [
  [
    /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g,
    (count) => `00000000-0000-4000-8000-${String(count).padStart(12, '0')}`,
  ],
  // OpenCode's.
  [/\b(?:ses|msg|prt|per|que|evt)_[0-9a-zA-Z]{20,}/g, (count) => `id_${String(count).padStart(26, '0')}`],
  // A sub-agent, and a shell in the background, of Claude Code.
  [/\ba[0-9a-f]{16}\b/g, (count) => `a${String(count).padStart(16, '0')}`],
  [/\bb[0-9a-z]{8}\b(?=\.output|"|<)/g, (count) => `b${String(count).padStart(8, '0')}`],
];

/** What an agent said, without what differs from run to run or belongs to this machine; the same id stays the same. */
export function cleaned(payloads: readonly Record<string, unknown>[], { home, work, modelUrl }: AgentHome): Record<string, unknown>[] {
  const known = new Map<string, string>();
  const clean = (text: string): string => {
    let told = text.replaceAll(work, '/home/user/shop').replaceAll(home, '/home/user').replaceAll(modelUrl, 'http://127.0.0.1:9');
    // Folders that are named after the path, or the name, of the work.
    told = told
      .replaceAll(`/tmp/${basename(work)}/`, '/tmp/shop/')
      .replaceAll(work.replaceAll(/[^a-zA-Z0-9]/g, '-'), '-home-user-shop')
      .replaceAll(/\/tmp\/claude-\d+\//g, '/tmp/claude/');
    told = told.replaceAll(/\d{4}-\d\d-\d\dT\d\d[:-]\d\d(?:[:-]\d\d(?:\.\d+)?)?Z?/g, (at) => at.replaceAll(/\d/g, '0'));
    told = told.replaceAll(/\/\d{4}\/\d\d\/\d\d\//g, '/0000/00/00/').replaceAll(/session-0{4}[-0T]*-[0-9a-f]{8}/g, 'session-0000-00000000');
    told = told.replaceAll(/(?<=PGID: )\d+/g, '1000');
    for (const [pattern, name] of ids) {
      told = told.replaceAll(pattern, (id) => {
        const own = known.get(id) ?? name([...known.keys()].filter((each) => new RegExp(`^${pattern.source}`).test(each)).length + 1);
        known.set(id, own);
        return own;
      });
    }
    return told;
  };
  const walk = (value: unknown, key = ''): unknown => {
    if (typeof value === 'string') return clean(value);
    if (typeof value === 'number') return /duration|^time$|start|end|created|updated|completed/.test(key) ? 0 : value;
    if (Array.isArray(value)) return value.map((each) => walk(each, key));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [clean(name), walk(each, name)]));
  };
  return payloads.map((payload) => walk(payload) as Record<string, unknown>);
}
