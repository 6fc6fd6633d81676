import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Journal, NewEvent } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { createServer, type DashServer, type ServerOptions } from '../../src/server/create-server.ts';

/** A server of its own for one test, with a real journal in a folder of its own. Both go when the test ends. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly journal: Journal;
  close(): Promise<void>;
  /** Closes it and opens another one on the same journal and the same port. */
  restart(): Promise<void>;
}

export async function startServer(options: Omit<ServerOptions, 'projectFolder'> = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'shannon-dash-server-'));
  let server: DashServer | undefined;
  let port = 0;
  let journal: Journal;
  const open = async () => {
    journal = options.journal ?? (await openSqliteJournal({ path: join(folder, 'journal.sqlite') }));
    server = await createServer({ ...options, journal, projectFolder: folder });
    ({ port } = await server.listen({ port }));
  };
  const close = async () => {
    await server?.close();
    server = undefined;
  };
  await open();
  onTestFinished(async () => {
    await close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    get port() {
      return port;
    },
    folder,
    get journal() {
      return journal;
    },
    close,
    async restart() {
      await close();
      await open();
    },
  };
}

/** An answer over HTTP, its JSON parsed. */
export interface HttpAnswer<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: Body;
}

/** Any JSON object, for tests that look at single fields. */
export type Json = Record<string, unknown>;

/** Sends JSON (or a text as it is, with its content type) and reads JSON. */
export async function http<Body = Json>(
  method: string,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<HttpAnswer<Body>> {
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === '' ? undefined : JSON.parse(text)) as Body };
}

/** Publishes over HTTP. */
export async function publish(server: Pick<TestServer, 'url'>, sessionId: string, events: unknown): Promise<Json> {
  const { status, body } = await http('POST', `${server.url}/api/sessions/${sessionId}/events`, events);
  if (status !== 200) throw new Error(`publishing was refused: ${JSON.stringify(body)}`);
  return body;
}

/** Events as if they had been taken in at the times that they tell, however long ago. */
export async function journalAsOf(server: TestServer, session: string, events: readonly NewEvent[]): Promise<void> {
  await server.journal.append(session, events);
}
