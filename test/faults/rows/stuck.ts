import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { quantile } from '../../bench/load.ts';
import { inLanes, keepGoing, publish, publishSurely } from '../client.ts';
import { RawReader } from '../raw-reader.ts';
import { atMost, same, told, until, type Check, type Row, type Scene } from '../scene.ts';
import { serve } from '../served.ts';

const session = 's';
const kinds = ['events', 'states', 'history', 'SSE'] as const;
type Kind = (typeof kinds)[number];
const perSecond = 10_000;
const batch = 50;
const filler = 'x'.repeat(850);

/** A watcher of a kind, as it has joined. That of a history is asked for one. */
function joinAs(kind: Kind, port: number): Promise<RawReader> {
  const events = `/api/sessions/${session}/events`;
  if (kind === 'history') return RawReader.get(port, `${events}?limit=10000`, 'application/x-ndjson');
  if (kind === 'SSE') return RawReader.get(port, events, 'text/event-stream');
  return RawReader.subscribe(port, kind === 'states' ? { batch: true } : { session_id: session, batch: true });
}

/** Publishes so many events at a steady pace. Each says when it was sent. */
async function publishPaced(url: string, count: number): Promise<void> {
  const startedAt = performance.now();
  await inLanes(count / batch, 4, async (n) => {
    const dueInMs = startedAt + (n * batch * 1_000) / perSecond - performance.now();
    if (dueInMs > 1) await wait(dueInMs);
    const at = Math.round(performance.now() * 1_000);
    await publishSurely(
      url,
      session,
      Array.from({ length: batch }, () => ({ type: 'test:step', data: { at, filler } })),
    );
  });
}

async function cutsOf(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^shannon_dash_slow_consumers_total (\d+)/m.exec(metrics)?.[1]);
}

async function run(scene: Scene): Promise<Check[]> {
  const [healthyCount, stuckCount] = [scene.sized(1, 5), scene.sized(2, 20)];
  const [bareEvents, allEvents] = [scene.sized(2_000, 100_000), scene.sized(20_000, 200_000)];
  const server = await serve(scene, { journal: join(scene.newFolder(), 'journal.db') });
  const { url, port } = server;
  // States of some size, and a history that is more than the system takes for who does not read.
  const skills = Array.from({ length: 40 }, (_, n) => ({ type: 'skill:started', data: { skill_name: `skill-${n}`, description: filler } }));
  await inLanes(100, 8, (n) => publish(url, `other-${n}`, skills));
  await publishPaced(url, 20_000);

  let latencies = new Map<Kind, number[]>();
  const note = (kind: Kind, ms: number) => latencies.get(kind)?.push(ms);
  for (const kind of kinds.filter((each) => each !== 'history')) {
    for (let n = 0; n < healthyCount; n++) {
      const reader = await joinAs(kind, port);
      scene.onEnd(() => reader.drop());
      reader.onText((text) => {
        const at = text.indexOf('"at":');
        if (at !== -1) note(kind, performance.now() - Number.parseInt(text.slice(at + 5, at + 25), 10) / 1_000);
      });
    }
  }
  const reading = keepGoing(
    Array.from({ length: healthyCount }, (_, n) => n),
    async (lane, n) => {
      const startedAt = performance.now();
      const after = ((lane * 50 + n) * 97) % 19_000;
      const answer = await fetch(`${url}/api/sessions/${session}/events?limit=200&after=${after}`, {
        headers: { accept: 'application/x-ndjson' },
      });
      await answer.arrayBuffer();
      note('history', performance.now() - startedAt);
      await wait(50);
    },
  );
  const measure = async (events: number) => {
    latencies = new Map(kinds.map((kind) => [kind, []]));
    const before = server.residentBytes();
    let peak = before;
    const looking = setInterval(() => (peak = Math.max(peak, server.residentBytes())), 20);
    const startedAt = performance.now();
    await publishPaced(url, events);
    clearInterval(looking);
    return { latencies, grown: peak - before, perSecond: (events * 1_000) / (performance.now() - startedAt) };
  };
  const bare = await measure(bareEvents);
  const cutBefore = await cutsOf(url);
  const stuck = await Promise.all(
    kinds.flatMap((kind) =>
      Array.from({ length: stuckCount }, async () => {
        const reader = await joinAs(kind, port);
        reader.stick();
        scene.onEnd(() => reader.drop());
      }),
    ),
  );
  const stuckAt = performance.now();
  const gone = (async () => {
    await until('the stuck ones to be cut', async () => (await cutsOf(url)) - cutBefore >= stuck.length, 60_000).catch(() => undefined);
    return (performance.now() - stuckAt) / 1_000;
  })();
  const beside = await measure(allEvents);
  const goneAfter = await gone;
  const cut = (await cutsOf(url)) - cutBefore;
  await reading.stop();
  return [
    same('stuck watchers that were cut, and no other', cut, stuck.length),
    atMost('stuck watchers gone after', goneAfter, 10, 's'),
    atMost('memory, above that of the run without them', beside.grown / 1e6, 150, 'MB'),
    ...kinds.map((kind) => {
      const [without, p99] = [bare, beside].map((each) => quantile(each.latencies.get(kind) ?? [], 0.99));
      return atMost(`healthy p99, ${kind}, to the run without stuck ones`, (p99 ?? 0) / (without ?? 0), 2, 'x');
    }),
    ...kinds.map((kind) => {
      const p99 = [bare, beside].map((each) => quantile(each.latencies.get(kind) ?? [], 0.99).toFixed(1));
      return told(`healthy p99, ${kind}: without, with`, `${p99.join(' ms, ')} ms`);
    }),
    told('events published: without, with', `${Math.round(bare.perSecond)}/s, ${Math.round(beside.perSecond)}/s`),
  ];
}

export const stuck: Row = {
  name: 'stuck',
  fault: '20 stuck and 5 healthy watchers of each kind (events, states, history, SSE), 200,000 events of 1 KiB',
  run,
};
