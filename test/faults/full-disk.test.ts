import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { readLog } from '../../src/journal/sqlite/commit-log-text.ts';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.ts';
import { connectClient } from '../helpers/socket-client.ts';
import { http } from '../helpers/start-server.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** How much room is left when the disk is "full": at each of these another write is the first that fails. */
const everyRoomKiB = [0, 4, 40, 200];
const eventChars = 1_500;

/** What the server has acknowledged, by session: the ids of events in their order. */
type Acknowledged = Map<string, string[]>;

/** A disk of its own; undefined where none can be mounted. */
async function smallDisk(): Promise<{ folder: string; fill: (roomKiB: number) => void; free: () => void } | undefined> {
  const folder = join(await temporaryFolder(), 'disk');
  mkdirSync(folder);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]).status !== 0) return undefined;
  onTestFinished(() => void spawnSync('umount', ['-l', folder]));
  const ballast = join(folder, 'ballast');
  return {
    folder,
    fill(roomKiB) {
      const { bavail, bsize } = statfsSync(folder);
      try {
        writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - roomKiB * 1_024)));
      } catch (error) {
        // The server has taken some of the room meanwhile: the disk is full, as it should be.
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
    free: () => rmSync(ballast, { force: true }),
  };
}

/** Does everything that writes, and keeps books of what was acknowledged. */
class Writer {
  readonly acknowledged: Acknowledged = new Map();
  readonly figures: Record<string, { acknowledged: number; refused: number }> = {};
  /** What was refused, and must be nowhere. */
  readonly #refusedSessions = new Set<string>();
  readonly #refusedIds = new Set<string>();
  #count = 0;

  async publish(url: string, session: string, what = 'publish'): Promise<void> {
    const id = `e${++this.#count}`;
    const isNew = !this.acknowledged.has(session);
    const event = { type: 'test:step', id, data: { session, filler: 'x'.repeat(eventChars) } };
    const answer = await http('POST', `${url}/api/sessions/${session}/events`, event);
    if (this.#note(what, answer)) this.acknowledged.set(session, [...(this.acknowledged.get(session) ?? []), id]);
    else {
      this.#refusedIds.add(id);
      if (isNew) this.#refusedSessions.add(session);
    }
  }

  async create(url: string, session: string): Promise<void> {
    if (this.#note('create', await http('POST', `${url}/api/sessions`, { session_id: session }))) this.acknowledged.set(session, []);
    else this.#refusedSessions.add(session);
  }

  async delete(url: string, session: string): Promise<void> {
    if (!this.#note('delete', await http('DELETE', `${url}/api/sessions/${session}`))) return;
    this.acknowledged.delete(session);
    this.#refusedSessions.add(session);
  }

  async command(url: string, session: string): Promise<void> {
    const id = `c${++this.#count}`;
    const body = { type: 'INJECT', skill_name: 'x', command_id: id, timeout_ms: 1 };
    const answer = await http('POST', `${url}/api/sessions/${session}/commands`, body);
    const isKept = answer.body['status'] === 'queued';
    this.#note('command', { ...answer, status: isKept ? 200 : answer.status });
    if (isKept) this.acknowledged.set(session, [...(this.acknowledged.get(session) ?? []), `command:${id}:queued`]);
  }

  async attach(url: string, session: string): Promise<void> {
    const client = await connectClient(url);
    const instance_id = `i${++this.#count}`;
    const answer = await client.ask('orchestrator:attach', { session_id: session, instance_id, capabilities: ['HALT'] });
    this.#note('attach', { status: answer['success'] === true ? 200 : 503, body: answer });
    client.socket.disconnect();
  }

  /** Compares what the server has with the books, session by session. Gives how many events it looked at. */
  async compare(url: string, when: string): Promise<number> {
    let compared = 0;
    const { body } = await http<{ sessions: { session_id: string }[] }>('GET', `${url}/api/sessions`);
    const names = body.sessions.map(({ session_id }) => session_id);
    for (const session of this.#refusedSessions) expect(names, `${when}: the refused or deleted ${session}`).not.toContain(session);
    for (const [session, ids] of this.acknowledged) {
      const answer = await http<{ events: SessionEvent[] }>('GET', `${url}/api/sessions/${session}/events?limit=10000`);
      expect(answer.status, `${when}: ${session}`).toBe(200);
      const { events } = answer.body;
      expect(
        events.map(({ seq }) => seq),
        `${when}: the order of ${session}`,
      ).toEqual(events.map((_, at) => at + 1));
      const kept = events.map(({ id }) => id);
      expect(
        kept.filter((id) => ids.includes(id)),
        `${when}: what ${session} was acknowledged`,
      ).toEqual(ids);
      expect(
        kept.filter((id) => this.#refusedIds.has(id)),
        `${when}: what ${session} was refused`,
      ).toEqual([]);
      const foreign = events.filter(
        ({ type, data, session_id }) => session_id !== session || (type === 'test:step' && data['session'] !== session),
      );
      expect(foreign, `${when}: events of others in ${session}`).toEqual([]);
      compared += events.length;
    }
    return compared;
  }

  #note(what: string, { status, body }: { status: number; body: Record<string, unknown> }): boolean {
    const figure = (this.figures[what] ??= { acknowledged: 0, refused: 0 });
    const isAcknowledged = status < 300;
    if (!isAcknowledged) expect(body, what).toMatchObject({ code: 'JOURNAL_FAILED' });
    figure[isAcknowledged ? 'acknowledged' : 'refused']++;
    return isAcknowledged;
  }
}

async function writeWhileFull(writer: Writer, { url }: ServerProcess, room: number): Promise<void> {
  await writer.create(url, `created-${room}`);
  for (let n = 0; n < 40; n++) await writer.publish(url, n % 2 === 0 ? 'a' : 'b');
  await writer.publish(url, `first-${room}`, 'publish to a new session');
  await writer.attach(url, 'attached');
  await writer.command(url, 'a');
  await writer.delete(url, `gone-${room}`);
  for (let n = 0; n < 10; n++) await writer.publish(url, 'b');
}

const commitsInLog = (journal: string) => (existsSync(`${journal}-log`) ? readLog(readFileSync(`${journal}-log`)).commits.length : 0);

/** Read from a copy: SQLite would write beside the journal. */
function snapshots(journal: string): number {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-copy-'));
  try {
    for (const ending of ['', '-wal']) if (existsSync(journal + ending)) copyFileSync(journal + ending, join(folder, `copy${ending}`));
    const database = new DatabaseSync(join(folder, 'copy'));
    const [row] = database.prepare('SELECT count(*) AS count FROM snapshots').all();
    database.close();
    return Number(row?.['count']);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.for([
  ['SIGTERM after the disk was freed', 'SIGTERM', 'freed', everyRoomKiB],
  ['SIGTERM while it is full', 'SIGTERM', 'full', [0]],
  ['kill -9 while it is full', 'SIGKILL', 'full', [200]],
  ['kill -9 after it was freed', 'SIGKILL', 'freed', [40]],
] as const)(
  'a full disk mixes no sessions up and loses nothing acknowledged: %s',
  { timeout: 120_000 },
  async ([name, signal, when, roomsKiB], context) => {
    const disk = await smallDisk();
    if (disk === undefined) return context.skip('no disk of its own can be mounted: that takes root');
    const journal = join(disk.folder, 'journal.db');
    let server = await startServerProcess(journal);
    const writer = new Writer();
    const lines: string[] = [];
    for (const session of ['a', 'b']) await writer.publish(server.url, session);
    for (const room of [...roomsKiB, 100]) await writer.publish(server.url, `gone-${room}`);

    for (const room of roomsKiB) {
      disk.fill(room);
      await writeWhileFull(writer, server, room);
      lines.push(`${room} KiB left, write-back: ${commitsInLog(journal)} commits wait in the log`);
      lines.push(`${room} KiB left, in memory: ${await writer.compare(server.url, `with ${room} KiB left`)} events as acknowledged`);
      disk.free();
      await writer.publish(server.url, 'a', 'publish after it was freed');
      await expect.poll(() => commitsInLog(journal), { timeout: 20_000 }).toBe(0);
      lines.push(`${room} KiB left, freed: ${await writer.compare(server.url, `freed after ${room} KiB`)} events as acknowledged`);
    }
    expect(writer.figures['publish after it was freed']).toEqual({ acknowledged: roomsKiB.length, refused: 0 });

    if (when === 'full') {
      disk.fill(100);
      await writeWhileFull(writer, server, 100);
      disk.free();
      disk.fill(0);
    }
    await server.end(signal);
    lines.push(
      `at the end, write-back: ${commitsInLog(journal)} commits left in the log; snapshots: ${snapshots(journal)} in the database`,
    );
    server = await startServerProcess(journal);
    lines.push(
      `after the restart${when === 'full' ? ', the disk still full' : ''}: ${await writer.compare(server.url, 'restarted')} events as acknowledged`,
    );
    if (when === 'full') {
      // It knows once it has tried to write.
      const degraded = ['journal_not_writable', 'disk_nearly_full', 'write_back_behind'].map((code) => expect.objectContaining({ code }));
      await expect
        .poll(() => http('GET', `${server.url}/health`))
        .toMatchObject({ status: 503, body: { status: 'degraded', ready: false, degraded } });
    }
    disk.free();
    // By itself, although nobody publishes.
    await expect.poll(async () => (await http('GET', `${server.url}/health`)).status, { timeout: 20_000 }).toBe(200);
    for (const session of ['a', 'b', 'later']) await writer.publish(server.url, session, 'publish after the restart');
    expect(writer.figures['publish after the restart']).toEqual({ acknowledged: 3, refused: 0 });
    await server.end('SIGKILL');
    server = await startServerProcess(journal);
    lines.push(`after one more kill -9: ${await writer.compare(server.url, 'killed again')} events as acknowledged`);
    const counts = Object.entries(writer.figures).map(([what, { acknowledged, refused }]) => `${what} ${acknowledged}/${refused}`);
    console.log([name, ...lines, `acknowledged/refused: ${counts.join(', ')}`].join('\n  '));
  },
);
