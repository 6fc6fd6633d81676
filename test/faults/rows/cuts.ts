import { join } from 'node:path';
import { io } from 'socket.io-client';
import type { Cursor, SessionEvent } from '../../../src/core/protocol/event.ts';
import { connectWatcher } from '../../../src/index.ts';
import { openCuttingProxy } from '../../helpers/cutting-proxy.ts';
import { publishSurely } from '../client.ts';
import { same, until, type Check, type Row, type Scene } from '../scene.ts';
import { serve } from '../served.ts';

const session = 's';
const kinds = ['SDK', 'plain socket', 'SSE'] as const;

/** What a watcher has seen, and who is told of each event. */
interface Watching {
  url: string;
  take: (event: SessionEvent) => void;
  scene: Scene;
}

/** Each follows the session from its first event on, over whatever happens to its connection. */
const watchers: Record<(typeof kinds)[number], (watching: Watching) => Promise<void>> = {
  async SDK({ url, take, scene }) {
    const watcher = await connectWatcher({ url, session, after: 'start' });
    scene.onEnd(() => watcher.close());
    void (async () => {
      for await (const event of watcher) take(event);
    })();
  },

  /** Socket.IO as anybody speaks it, who keeps a cursor. */
  async 'plain socket'({ url, take, scene }) {
    const socket = io(url, {
      transports: ['websocket'],
      forceNew: true,
      auth: { subscribe: false },
      reconnectionDelay: 50,
      reconnectionDelayMax: 500,
    });
    scene.onEnd(() => socket.disconnect());
    let cursor: Cursor | undefined;
    socket.on('connected', ({ epoch }: { epoch: string }) =>
      socket.emit('subscribe', { session_id: session, batch: true, after: cursor ?? { epoch, seq: 0 } }),
    );
    socket.on('events', ({ events }: { events: SessionEvent[] }) => {
      for (const event of events) {
        take(event);
        cursor = { epoch: cursor?.epoch ?? '', seq: event.seq };
      }
    });
    socket.on('subscribed', ({ epoch }: { epoch: string }) => (cursor = { epoch, seq: cursor?.seq ?? 0 }));
    await until('a plain socket', () => cursor !== undefined);
  },

  /** A stream that is asked for again with the id of its last event. */
  async SSE({ url, take, scene }) {
    const ended = new AbortController();
    scene.onEnd(() => ended.abort());
    let last: string | undefined;
    const read = async () => {
      const answer = await fetch(`${url}/api/sessions/${session}/events?after=0`, {
        headers: { accept: 'text/event-stream', ...(last === undefined ? {} : { 'last-event-id': last }) },
        signal: ended.signal,
      });
      let text = '';
      for await (const piece of (answer.body ?? new ReadableStream<Uint8Array>()).pipeThrough(new TextDecoderStream())) {
        const blocks = (text + piece).split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) {
          const id = /^id: (.*)$/m.exec(block)?.[1];
          const data = /^data: (.*)$/m.exec(block)?.[1];
          if (id === undefined || data === undefined || /^event: session:/m.test(block)) continue;
          last = id;
          take(JSON.parse(data) as SessionEvent);
        }
      }
    };
    void (async () => {
      while (!ended.signal.aborted) {
        await read().catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    await Promise.resolve();
  },
};

async function run(scene: Scene): Promise<Check[]> {
  const count = scene.sized(6, 50);
  const cuts = scene.sized(2, 20);
  const kills = scene.sized(1, 5);
  const events = scene.sized(1_000, 20_000);
  const journal = join(scene.newFolder(), 'journal.db');
  let server = await serve(scene, { journal });
  const { url, port } = server;
  const send = (from: number, through: number) =>
    publishSurely(
      url,
      session,
      Array.from({ length: through - from + 1 }, (_, at) => ({ type: 'test:step', id: `e${from + at}`, data: { n: from + at } })),
    );
  await send(1, 1);
  const all = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const kind = kinds[index % kinds.length] ?? 'SDK';
      const proxy = await openCuttingProxy(() => port);
      scene.onEnd(() => proxy.close());
      const seqs: number[] = [];
      const watched = { kind, seqs, cuts: 0 };
      const cut = () => {
        if (watched.cuts === cuts || proxy.connections === 0) return;
        watched.cuts++;
        proxy.cut();
      };
      const take = ({ seq }: SessionEvent) => {
        seqs.push(seq);
        // Spread over the events, for each watcher at places of its own.
        if (seq > ((watched.cuts + (index + 1) / (count + 1)) * events) / cuts) cut();
      };
      await watchers[kind]({ url: proxy.url, take, scene });
      return Object.assign(watched, { cut });
    }),
  );
  /** Who has caught up and was cut too seldom, as much came at once, is cut where it stands. */
  const haveAll = (seq: number) => {
    for (const { seqs, cut } of all) if ((seqs.at(-1) ?? 0) >= seq) cut();
    return all.every((each) => each.cuts === cuts);
  };
  let killed = 0;
  // The last events wait until all cuts are done, so that each watcher has to come back after its last.
  for (let at = 2; at <= events; at += 20) {
    if (at + 20 > events) await until('the last cuts', () => haveAll(at - 1), 120_000);
    await send(at, Math.min(events, at + 19));
    if (at <= ((killed + 0.5) * events) / kills || killed === kills) continue;
    killed++;
    await server.end('SIGKILL');
    server = await serve(scene, { journal, port });
  }
  const isDone = () => all.every(({ seqs }) => (seqs.at(-1) ?? 0) >= events);
  await until('all watchers to have seen all', isDone, 120_000).catch(() => undefined);
  const isExact = (seqs: readonly number[]) => seqs.length === events && seqs.every((seq, at) => seq === at + 1);
  return [
    ...kinds.map((kind) => {
      const ofKind = all.filter((each) => each.kind === kind);
      const exact = ofKind.filter(({ seqs }) => isExact(seqs)).length;
      return same(`${kind}: watchers that saw exactly 1..${events}`, exact, ofKind.length);
    }),
    same('cuts of each', Math.min(...all.map((each) => each.cuts)), cuts),
    same('kills', killed, kills),
  ];
}

export const cuts: Row = { name: 'cuts', fault: '50 watchers, each cut 20 times, 5 kills, 20,000 events', run };
