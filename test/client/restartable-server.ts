import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { createServer, type DashServer } from '../../src/server/create-server.ts';

/** A real server on a real SQLite file, which can go away and come back on the same file and port. */
export interface RestartableServer {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
  start(): Promise<void>;
  restart(): Promise<void>;
  /** A session's whole history, over HTTP. */
  history(session: string): Promise<SessionEvent[]>;
  /** Stops it and removes its files. */
  remove(): Promise<void>;
}

export async function startServer(): Promise<RestartableServer> {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-client-'));
  let server: DashServer | undefined;
  let port = 0;
  const start = async () => {
    server = await createServer({ journal: await openSqliteJournal({ path: join(folder, 'journal.db') }), projectFolder: folder });
    ({ port } = await server.listen({ host: '127.0.0.1', port }));
  };
  const stop = async () => {
    await server?.close();
    server = undefined;
  };
  await start();
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    stop,
    start,
    async restart() {
      await stop();
      await start();
    },
    async history(session) {
      const events: SessionEvent[] = [];
      for (;;) {
        const after = events.at(-1)?.seq ?? 0;
        const answer = await fetch(`${url}/api/sessions/${session}/events?after=${after}&limit=1000`);
        const page = (await answer.json()) as { events: SessionEvent[] };
        events.push(...page.events);
        if (page.events.length < 1_000) return events;
      }
    },
    async remove() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until something is so. */
export async function until(condition: () => boolean, what: string, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** How long nothing may happen before it counts as not happening. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
