import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { io } from 'socket.io-client';
import type { SessionGapMessage } from '../../../src/core/protocol/messages.ts';
import { quantile } from '../../bench/load.ts';
import { ask, eventsOf, keepGoing, publishSurely } from '../client.ts';
import { atMost, same, told, until, type Check, type Row, type Scene } from '../scene.ts';
import { serve } from '../served.ts';

const lanes = [0, 1, 2, 3];
const batch = 50;
/** Of one session, until it ends and the lane begins another. */
const batchesPerSession = 60;
const filler = 'x'.repeat(200);

/** Programs that come and go write all the time, and one goes on all the while; somebody pings. */
async function underLoad(
  scene: Scene,
  { url, journal, seconds, perSecond }: { url: string; journal: string; seconds: number; perSecond: number },
) {
  const startedAt = performance.now();
  const laneMs = (lanes.length * batch * 1_000) / perSecond;
  const published = { total: 0, live: 0 };
  const publishing = keepGoing(lanes, async (lane, n) => {
    const dueInMs = startedAt + n * laneMs - performance.now();
    if (dueInMs > 1) await wait(dueInMs);
    const session = `lane${lane}-${Math.floor(n / batchesPerSession)}`;
    const step = n % batchesPerSession;
    const events = Array.from({ length: batch }, (_, at) => ({ type: 'test:step', data: { n: step * batch + at, filler } }));
    if (step === 0) events[0] = { type: 'execution:started', data: { n: 0, filler } };
    if (step === batchesPerSession - 1) events[batch - 1] = { type: 'execution:completed', data: { n: 0, filler } };
    await publishSurely(url, session, events);
    published.total += batch;
    if (lane !== 0 || n % 10 !== 0) return;
    published.live = (await publishSurely(url, 'live', events.slice(1, 49))).last_seq ?? 0;
  });
  const pinger = io(url, { transports: ['websocket'], forceNew: true, auth: { subscribe: false } });
  scene.onEnd(() => pinger.disconnect());
  await until('a connection', () => pinger.connected);
  const pings: number[] = [];
  const pinging = keepGoing([0], async () => {
    const askedAt = performance.now();
    await pinger.emitWithAck('ping', {});
    pings.push(performance.now() - askedAt);
    await wait(2);
  });
  let largest = 0;
  while (performance.now() - startedAt < seconds * 1_000) {
    await Promise.race([wait(100), publishing.ended]);
    largest = Math.max(largest, sizeOf(journal));
  }
  await publishing.stop();
  await pinging.stop();
  return { published, pings, largest, perSecond: (published.total * 1_000) / (performance.now() - startedAt) };
}

function sizeOf(journal: string): number {
  return ['', '-wal', '-log'].reduce((sum, ending) => sum + (statSync(journal + ending, { throwIfNoEntry: false })?.size ?? 0), 0);
}

async function run(scene: Scene): Promise<Check[]> {
  const seconds = scene.sized(5, 40, 300);
  const mostBytes = scene.sized(2, 25, 200) * 1e6;
  const perSecond = scene.sized(2_000, 5_000);
  const without = join(scene.newFolder(), 'journal.db');
  const unruled = await serve(scene, { journal: without });
  // The same without rules: what the machine itself makes of a ping.
  const bare = await underLoad(scene, { url: unruled.url, journal: without, seconds: seconds / 4, perSecond });
  await unruled.end('SIGKILL');
  const journal = join(scene.newFolder(), 'journal.db');
  const { url } = await serve(scene, { journal, args: [`--retain-size=${mostBytes}`, '--retain-events=1000'] });
  const { published, pings, largest, perSecond: rate } = await underLoad(scene, { url, journal, seconds, perSecond });
  const live = await eventsOf(url, 'live');
  const isWhole = live.length === published.live && live.every(({ seq }, at) => seq === at + 1);

  // A cursor in what retention has taken of a session that is there still.
  const { body } = await ask('GET', `${url}/api/sessions?limit=1000`);
  const sessions = (body['sessions'] as { session_id: string }[]).map(({ session_id }) => session_id);
  const created = Math.ceil(published.total / batch / batchesPerSession);
  let [cut, toldGaps] = [0, 0];
  for (const session of sessions.slice(0, 40)) {
    const answer = await ask('GET', `${url}/api/sessions/${session}/events?limit=1`);
    const first = Number(answer.body['first_available'] ?? 1);
    if (answer.status !== 200 || first === 1) continue;
    cut++;
    const watcher = io(url, { transports: ['websocket'], forceNew: true, auth: { subscribe: false } });
    let gap: SessionGapMessage | undefined;
    watcher.on('session:gap', (message: SessionGapMessage) => (gap ??= message));
    await until('a watcher', () => watcher.connected);
    await watcher.emitWithAck('subscribe', { session_id: session, after: { epoch: answer.body.epoch, seq: 1 } });
    await until('the gap', () => gap !== undefined, 5_000).catch(() => undefined);
    watcher.disconnect();
    if (gap?.reason === 'retention' && gap.first_available >= first) toldGaps++;
  }
  return [
    // The rule looks every two seconds, and what was taken since stands in the log.
    atMost('journal, the largest that it was', largest / 1e6, (mostBytes / 1e6) * 1.1 + 10, 'MB'),
    atMost('a ping, p99.9', quantile(pings, 0.999), 50, 'ms'),
    same('cursors before a cut that were told of it', toldGaps, cut),
    same('there were such cursors', cut > 0 ? 'yes' : 'no', 'yes'),
    same(`the live session has all of its ${published.live} events`, isWhole ? 'whole' : `${live.length}`, 'whole'),
    told('sessions ended or begun, left', `${created}, ${sessions.length}`),
    told('events published', `${Math.round(rate).toLocaleString('en-US')}/s for ${seconds} s`),
    told('a ping: p50, p99.9', percentiles(pings)),
    told('a ping without any rule: p50, p99.9', percentiles(bare.pings)),
    told('journal at the end, of', `${(sizeOf(journal) / 1e6).toFixed(0)} MB, ${mostBytes / 1e6} MB`),
  ];
}

function percentiles(pings: readonly number[]): string {
  return [0.5, 0.999].map((share) => `${quantile(pings, share).toFixed(1)} ms`).join(', ');
}

export const retention: Row = {
  name: 'retention',
  fault: 'a journal kept at a size under 5,000 events/s (40 s and 25 MB; 5 minutes and 200 MB with --long)',
  run,
};
