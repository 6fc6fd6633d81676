import { setTimeout as wait } from 'node:timers/promises';
import type { SessionEvent } from '../../src/core/protocol/event.ts';

/** An event as it is published. */
export interface Sent {
  type: string;
  id?: string;
  data: Record<string, unknown>;
}

export interface Answer {
  status: number;
  body: Record<string, unknown> & { code?: string; error?: string; epoch?: string; first_seq?: number; last_seq?: number };
}

export async function ask(method: string, url: string, body?: unknown): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: answer.status, body: (await answer.json()) as Answer['body'] };
}

export function publish(url: string, session: string, events: readonly Sent[]): Promise<Answer> {
  return ask('POST', `${url}/api/sessions/${session}/events`, events);
}

/** Publishes, again and again with the same ids, until it is acknowledged. */
export async function publishSurely(url: string, session: string, events: readonly Sent[], isOver = () => false): Promise<Answer['body']> {
  for (;;) {
    const answer = await publish(url, session, events).catch(() => undefined);
    if (answer?.status === 200) return answer.body;
    if (answer !== undefined && answer.status !== 503) throw new Error(`events were refused: ${JSON.stringify(answer)}`);
    if (isOver()) throw new Error('no server has come back');
    await wait(10);
  }
}

/** The history of a session, each event as its line of JSON. */
export async function linesOf(url: string, session: string): Promise<string[]> {
  const lines: string[] = [];
  for (let after = 0; ;) {
    const answer = await fetch(`${url}/api/sessions/${session}/events?limit=10000&after=${after}`, {
      headers: { accept: 'application/x-ndjson' },
    });
    if (answer.status !== 200) throw new Error(`the history of ${session} is answered ${answer.status}: ${await answer.text()}`);
    const page = (await answer.text()).split('\n').filter((line) => line !== '');
    for (const line of page) lines.push(line);
    if (page.length < 10_000) return lines;
    after = (JSON.parse(page.at(-1) ?? '') as SessionEvent).seq;
  }
}

export async function eventsOf(url: string, session: string): Promise<SessionEvent[]> {
  return (await linesOf(url, session)).map((line) => JSON.parse(line) as SessionEvent);
}

/** Who is connected, by the server. */
export async function connections(url: string): Promise<{ total: number; watching: number }> {
  const { body } = await ask('GET', `${url}/api/stats`);
  const watchers = Object.values(body['sessions'] as Record<string, number>);
  return { total: Number(body['total_connections']), watching: watchers.reduce((sum, each) => sum + each, 0) };
}

/** Calls `work` with 0 to count-1, so many at a time. */
export async function inLanes(count: number, lanes: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Work that goes on in lanes until it is stopped. */
export interface Going {
  /** Rejects when a lane fails, resolves when all have stopped. */
  ended: Promise<void>;
  stop(): Promise<void>;
}

/** Calls `step` for each lane with 0, 1, 2 and so on, one after the other, until it is stopped. */
export function keepGoing<Lane>(lanes: readonly Lane[], step: (lane: Lane, n: number) => Promise<unknown>): Going {
  const stopped = new AbortController();
  const run = async (lane: Lane) => {
    for (let n = 0; !stopped.signal.aborted; n++) await step(lane, n);
  };
  const ended = Promise.all(lanes.map(run)).then(() => undefined);
  // Whoever awaits `ended` or `stop` hears of it.
  ended.catch(() => undefined);
  return {
    ended,
    stop() {
      stopped.abort();
      return ended;
    },
  };
}
