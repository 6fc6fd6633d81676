import { Agent, request as httpRequest } from 'node:http';
import { io, type Socket } from 'socket.io-client';
import type { Verb } from '../../src/core/access.ts';
import type { MeasuredServer } from './measured-server.ts';

/** Events that producers may be ahead of the slowest watcher. */
const windowEvents = 256;
const eventBytes = 200;

/**
 * @param subscribe false for who only asks: no events come with its answers, from either server
 * @param verb what the client is about to do
 */
export async function connect(
  { url, tokenFor }: Pick<MeasuredServer, 'url' | 'tokenFor'>,
  subscribe = true,
  verb: Verb = 'watchAll',
): Promise<Socket> {
  const token = tokenFor(verb);
  const socket = io(url, { transports: ['websocket'], forceNew: true, auth: { subscribe, ...(token === undefined ? {} : { token }) } });
  await new Promise((resolve, reject) => {
    socket.once('connected', resolve);
    socket.once('connect_error', reject);
  });
  return socket;
}

function cliEvent(session: string, at = 0) {
  const event = {
    session_id: session,
    event_type: 'skill:progress',
    timestamp: new Date().toISOString(),
    data: { skill_name: 'build', progress: 50, at, message: '' },
  };
  event.data.message = 'x'.repeat(Math.max(0, eventBytes - JSON.stringify(event).length));
  return event;
}

/** CPU microseconds of the server for one delivery: `events` from each producer to every watcher, as fast as they are taken. */
export async function cpuPerDelivery(
  server: MeasuredServer,
  shape: { producers: number; watchers: number; deliveries: number; batch: boolean },
): Promise<number> {
  const watchers = await Promise.all(Array.from({ length: shape.watchers }, () => connect(server)));
  const producers = await Promise.all(Array.from({ length: shape.producers }, () => connect(server, true, 'publish')));
  const received = new Int32Array(shape.watchers);
  for (const [index, watcher] of watchers.entries()) {
    watcher.on('skill:progress', () => {
      received[index] = (received[index] ?? 0) + 1;
    });
    watcher.on('events', ({ events }: { events: unknown[] }) => {
      received[index] = (received[index] ?? 0) + events.length;
    });
    if (shape.batch) await watcher.emitWithAck('subscribe', { batch: true });
  }
  const run = async (total: number) => {
    received.fill(0);
    let sent = 0;
    for (;;) {
      const slowest = received.reduce((least, each) => Math.min(least, each), total);
      if (slowest >= total) return;
      while (sent < total && sent - slowest < windowEvents) {
        producers[sent % producers.length]?.emit('cli_event', cliEvent(`bench-${sent % producers.length}`));
        sent++;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const total = Math.ceil(shape.deliveries / shape.watchers);
  await run(Math.ceil(total / 4));
  const before = server.cpuSeconds();
  await run(total);
  const used = server.cpuSeconds() - before;
  for (const socket of [...watchers, ...producers]) socket.disconnect();
  return (used * 1e6) / (total * shape.watchers);
}

/** Milliseconds from publish to receipt, at a steady pace to ten watchers. */
export async function pacedLatency(
  server: MeasuredServer,
  { perSecond, watchers: count, events }: { perSecond: number; watchers: number; events: number },
): Promise<number[]> {
  const watchers = await Promise.all(Array.from({ length: count }, () => connect(server)));
  const producer = await connect(server, true, 'publish');
  const latencies: number[] = [];
  const done = new Promise<void>((resolve) => {
    for (const watcher of watchers) {
      watcher.on('skill:progress', ({ data }: { data: { at: number } }) => {
        latencies.push(performance.now() - data.at);
        if (latencies.length === events * count) resolve();
      });
    }
  });
  const start = performance.now();
  for (let sent = 0; sent < events; sent++) {
    const due = start + (sent * 1_000) / perSecond;
    const waitMs = due - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    producer.emit('cli_event', cliEvent('paced', performance.now()));
  }
  await done;
  for (const socket of [...watchers, producer]) socket.disconnect();
  return latencies;
}

/** Milliseconds of `count` requests, one after the other, each until its ack. */
export async function roundTrips(
  server: MeasuredServer,
  count: number,
  request: (socket: Socket, index: number) => Promise<unknown>,
  verb?: Verb,
): Promise<number[]> {
  const socket = await connect(server, false, verb);
  const took: number[] = [];
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    await request(socket, index);
    took.push(performance.now() - start);
  }
  socket.disconnect();
  // The first tenth warms both sides up.
  return took.slice(Math.floor(count / 10));
}

/** The header with the token for a verb. */
export function bearer({ tokenFor }: Pick<MeasuredServer, 'tokenFor'>, verb: Verb): { authorization?: string } {
  const token = tokenFor(verb);
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** Milliseconds of `count` connections, one after the other, each until it is greeted. */
export async function connectTimes(server: MeasuredServer, count: number): Promise<number[]> {
  const took: number[] = [];
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    const socket = await connect(server, false);
    took.push(performance.now() - start);
    socket.disconnect();
  }
  return took.slice(Math.floor(count / 10));
}

/** An event of 200 bytes, as `publish` takes it. */
function smallEvent() {
  const event = { type: 'skill:progress', data: { skill_name: 'build', progress: 50, message: '' } };
  event.data.message = 'x'.repeat(eventBytes - JSON.stringify(event).length);
  return event;
}

/** Does `count` requests, always `inFlight` of them at a time. */
async function keepInFlight(count: number, inFlight: number, request: () => Promise<unknown>): Promise<void> {
  let begun = 0;
  const lanes = Array.from({ length: inFlight }, async () => {
    while (begun < count) {
      begun++;
      await request();
    }
  });
  await Promise.all(lanes);
}

/** Wall microseconds for each of `count` events published one by one on one connection, each acknowledged, so many in flight. */
export async function singlePublishing(server: MeasuredServer, { count, inFlight }: { count: number; inFlight: number }): Promise<number> {
  const socket = await connect(server, false, 'publish');
  const events = [smallEvent()];
  const publish = () =>
    new Promise<void>((resolve, reject) => {
      socket.emit('publish', { session_id: 'bench-single', events }, (answer: { success: boolean }) => {
        if (answer.success) resolve();
        else reject(new Error(`an event was refused: ${JSON.stringify(answer)}`));
      });
    });
  await keepInFlight(Math.ceil(count / 4), inFlight, publish);
  const start = performance.now();
  await keepInFlight(count, inFlight, publish);
  const tookMs = performance.now() - start;
  socket.disconnect();
  return (tookMs * 1_000) / count;
}

/** CPU microseconds of the server for each of `count` events published one by one to so many sessions in turn. */
export async function publishInTurn(
  server: MeasuredServer,
  { sessions, count, inFlight }: { sessions: number; count: number; inFlight: number },
): Promise<number> {
  const socket = await connect(server, false, 'publish');
  const events = [smallEvent()];
  let turn = 0;
  const publish = async () => {
    const answer = (await socket.emitWithAck('publish', { session_id: `bench-${turn++ % sessions}`, events })) as { success: boolean };
    if (!answer.success) throw new Error(`an event was refused: ${JSON.stringify(answer)}`);
  };
  // Each session is there, and the server has compiled what it runs.
  await keepInFlight(Math.max(sessions * 2, 5_000), inFlight, publish);
  const before = server.cpuSeconds();
  await keepInFlight(count, inFlight, publish);
  const used = server.cpuSeconds() - before;
  socket.disconnect();
  return (used * 1e6) / count;
}

/** CPU microseconds of the server for each of `count` events posted one by one over HTTP by `clients` kept connections. */
export async function singlePosting(server: MeasuredServer, { count, clients }: { count: number; clients: number }): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const body = JSON.stringify(smallEvent());
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...bearer(server, 'publish') };
  const post = () =>
    new Promise<void>((resolve, reject) => {
      const sent = httpRequest(`${server.url}/api/sessions/bench-posted/events`, { method: 'POST', agent, headers }, (answer) => {
        answer.resume();
        answer.once('end', () => (answer.statusCode === 200 ? resolve() : reject(new Error(`status ${answer.statusCode}`))));
      });
      sent.once('error', reject);
      sent.end(body);
    });
  await keepInFlight(Math.ceil(count / 4), clients, post);
  const before = server.cpuSeconds();
  await keepInFlight(count, clients, post);
  const used = server.cpuSeconds() - before;
  agent.destroy();
  return (used * 1e6) / count;
}

/** Resident bytes of the server for each of `count` watchers that do nothing. */
export async function bytesPerIdleWatcher(server: MeasuredServer, count: number): Promise<number> {
  const settle = () => new Promise((resolve) => setTimeout(resolve, 1_000));
  const warm = await Promise.all(Array.from({ length: 100 }, () => connect(server)));
  for (const socket of warm) socket.disconnect();
  await settle();
  const before = server.residentBytes();
  const sockets: Socket[] = [];
  for (let at = 0; at < count; at += 50) sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => connect(server)))));
  await settle();
  const used = server.residentBytes() - before;
  for (const socket of sockets) socket.disconnect();
  return used / count;
}

/** The value below which this share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
