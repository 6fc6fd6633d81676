import { join } from 'node:path';
import { quantile } from '../../bench/load.ts';
import { eventsOf, keepGoing, publishSurely } from '../client.ts';
import { atLeast, atMost, same, told, until, type Check, type Row, type Scene } from '../scene.ts';
import { runProgram, serve } from '../served.ts';

const producers = ['p0', 'p1', 'p2', 'p3'];
const batch = 50;

/** The server dies in the middle of what four producers publish. They send again, with the same ids, what was not acknowledged. */
async function run(scene: Scene): Promise<Check[]> {
  const kills = scene.sized(2, 50);
  const leastEvents = scene.sized(2_000, 100_000);
  const journal = join(scene.newFolder(), 'journal.db');
  let server = await serve(scene, { journal });
  const { url, port } = server;
  const acknowledged = new Map(producers.map((session) => [session, new Map<number, string>()]));
  const published = { total: 0 };
  const publishing = keepGoing(producers, async (session, n) => {
    const ids = Array.from({ length: batch }, (_, at) => `${session}-${n}-${at}`);
    const events = ids.map((id) => ({ type: 'test:step', id, data: { id, filler: 'x'.repeat(100) } }));
    const { first_seq = 0 } = await publishSurely(url, session, events);
    for (const [at, id] of ids.entries()) acknowledged.get(session)?.set(first_seq + at, id);
    published.total += batch;
  });
  const untilPublished = (count: number) => Promise.race([until('events', () => published.total >= count), publishing.ended]);
  const after = { kill: [] as number[], stop: [] as number[] };
  while (after.kill.length < kills) {
    await untilPublished(((after.kill.length + 1) * leastEvents) / (kills + 1));
    // An orderly end now and then, to have a start without a kill over the same journal.
    const isOrderly = after.kill.length === after.stop.length * 5 + 3;
    await server.end(isOrderly ? 'SIGTERM' : 'SIGKILL');
    server = await serve(scene, { journal, port });
    after[isOrderly ? 'stop' : 'kill'].push(server.readyMs);
  }
  await untilPublished(leastEvents);
  await publishing.stop();

  let [lost, doubled, outOfOrder] = [0, 0, 0];
  for (const [session, kept] of acknowledged) {
    const events = await eventsOf(url, session);
    doubled += events.length - new Set(events.map(({ id }) => id)).size;
    outOfOrder += events.filter(({ seq }, at) => seq !== at + 1).length;
    for (const [seq, id] of kept) if (events[seq - 1]?.id !== id) lost++;
  }
  await server.end('SIGKILL');
  const check = await runProgram(scene, 'journal', 'check', '--journal', journal);
  const checks = [
    atLeast('acknowledged events', published.total, leastEvents, 'events'),
    same('kills', after.kill.length, kills),
    same('lost', lost, 0),
    same('doubled', doubled, 0),
    same('out of order', outOfOrder, 0),
    same('journal check', check.code === 0 ? 'whole' : check.stdout + check.stderr, 'whole'),
  ];
  if (after.stop.length === 0) return checks;
  const [killMs, stopMs] = [quantile(after.kill, 0.5), quantile(after.stop, 0.5)];
  checks.push(
    atMost('ready after a kill, to an orderly start', killMs / stopMs, 1.5, 'x'),
    told('ready after a kill, after an orderly end', `${Math.round(killMs)} ms, ${Math.round(stopMs)} ms`),
  );
  return checks;
}

export const kills: Row = { name: 'kills', fault: '50 kill -9 under 4 producers in batches of 50', run };
