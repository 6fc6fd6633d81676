import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Books } from '../books.ts';
import { ask, publish } from '../client.ts';
import { same, told, until, type Check, type Row, type Scene } from '../scene.ts';
import { NotServed, runProgram, serve, type Served } from '../served.ts';
import { damagedPlaces, truncated } from './damage.ts';

const sessions = ['a', 'b'];

async function publishSome(books: Books, url: string, batches: number): Promise<void> {
  for (let n = 0; n < batches; n++) await books.publish(url, sessions[n % sessions.length] ?? 'a');
}

/** Whether each refusal says that it is the journal, in a sentence. */
function areClear(books: Books): string {
  const unclear = [...books.refusals].filter((each) => !/^503 JOURNAL_FAILED: .{20,}/.test(each));
  return unclear.length === 0 ? 'clear' : unclear.join('; ');
}

const healthOf = async (url: string) => {
  const { status, body } = await ask('GET', `${url}/health`);
  return status === 503 && String(body['reason']).length > 20 ? 'degraded, and why' : String(body['status']);
};

/** What a start that is refused says: a sentence with the way out, and no stack. */
async function refusal(scene: Scene, journal: string, options: { obeysModes?: boolean } = {}): Promise<string> {
  try {
    const server = await serve(scene, { journal, ...options });
    await server.end('SIGTERM');
    return 'started';
  } catch (error) {
    if (!(error instanceof NotServed)) throw error;
    return error.said.length > 20 ? 'refused in a sentence' : error.message;
  }
}

/** Until it takes events again by itself. */
async function untilTaken(books: Books, { url }: Served): Promise<string> {
  await until('the server to take events', async () => (await books.publish(url, 'a')).status === 200, 30_000);
  return 'alone';
}

async function diskFull(scene: Scene): Promise<Check[]> {
  const folder = join(scene.newFolder(), 'disk');
  mkdirSync(folder);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]).status !== 0)
    return [told('disk full', 'not tried: to mount a disk takes root')];
  scene.onEnd(() => spawnSync('umount', ['-l', folder]));
  const journal = join(folder, 'journal.db');
  const books = new Books();
  let server = await serve(scene, { journal });
  await until('the disk to be full', async () => (await books.publish(server.url, 'a', 10, 3_000)).status !== 200);
  await publishSome(books, server.url, 20);
  const checks = [
    same('disk full: refusals', areClear(books), 'clear'),
    same('disk full: health', await healthOf(server.url), 'degraded, and why'),
    same('disk full: acknowledged that cannot be read', (await books.missing(server.url)).length, 0),
  ];
  spawnSync('mount', ['-o', 'remount,size=64m', folder]);
  checks.push(same('disk freed: goes on', await untilTaken(books, server), 'alone'));
  await publishSome(books, server.url, 20);
  await server.end('SIGKILL');
  server = await serve(scene, { journal });
  checks.push(
    same(`disk full, then killed: lost of ${books.total} (${books.refused} were refused)`, (await books.missing(server.url)).length, 0),
  );
  await server.end('SIGTERM');
  return checks;
}

async function folderReadOnly(scene: Scene): Promise<Check[]> {
  const folder = scene.newFolder();
  const journal = join(folder, 'journal.db');
  const options = { journal, obeysModes: true };
  const books = new Books();
  let server = await serve(scene, options);
  await publishSome(books, server.url, 10);
  chmodSync(folder, 0o500);
  await publishSome(books, server.url, 10);
  const isTaken = books.refused === 0;
  await server.end('SIGKILL');
  const fresh = await refusal(scene, join(folder, 'new.db'), { obeysModes: true });
  // All its files are there: it may start. Then it takes events, or says why not, and comes to an orderly end.
  const started = await serve(scene, options).catch((error: unknown) => error);
  let again = 'refused in a sentence';
  if (started instanceof NotServed) again = started.said === '' ? started.message : again;
  else {
    const up = started as Served;
    await publishSome(books, up.url, 10);
    again = `started, ended with ${await up.end('SIGTERM')}`;
  }
  chmodSync(folder, 0o700);
  server = await serve(scene, options);
  const checks = [
    same(`folder read-only: publishing ${isTaken ? 'goes on' : 'is refused'}`, areClear(books), 'clear'),
    same('folder read-only: the start of a new journal', fresh, 'refused in a sentence'),
    same('folder read-only: the start of this one', again, again.startsWith('started') ? 'started, ended with 0' : 'refused in a sentence'),
    same(`folder read-only, then writable: lost of ${books.total}`, (await books.missing(server.url)).length, 0),
    same('folder writable: goes on', await untilTaken(books, server), 'alone'),
  ];
  await server.end('SIGTERM');
  return checks;
}

async function deleted(scene: Scene): Promise<Check[]> {
  const folder = scene.newFolder();
  const journal = join(folder, 'journal.db');
  const books = new Books();
  let server = await serve(scene, { journal });
  await publishSome(books, server.url, 20);
  rmSync(journal);
  await until('publishing to be refused', async () => (await books.publish(server.url, 'a')).status !== 200);
  const checks = [
    same('deleted: refusals', areClear(books), 'clear'),
    same('deleted: health', await healthOf(server.url), 'degraded, and why'),
    same('deleted: acknowledged that cannot be read', (await books.missing(server.url)).length, 0),
  ];
  const saved = await runProgram(scene, 'export', '--all', '--url', server.url);
  checks.push(same(`deleted: not in an export of what the server still has, of ${books.total}`, books.missingIn(saved.stdout), 0));
  await server.end('SIGKILL');
  checks.push(same('deleted, then killed: a start', await refusal(scene, journal), 'refused in a sentence'));
  server = await serve(scene, { journal, args: ['--accept-loss'] });
  await books.publish(server.url, 'anew');
  checks.push(same('deleted, started with --accept-loss: health', await healthOf(server.url), 'healthy'));
  await server.end('SIGTERM');
  return checks;
}

async function clockBack(scene: Scene): Promise<Check[]> {
  const journal = join(scene.newFolder(), 'journal.db');
  const books = new Books();
  let server = await serve(scene, { journal, isInspected: true });
  const { url } = server;
  await publishSome(books, url, 10);
  const decision = { decision_id: 'd', question: '?', options: ['yes', 'no'], default: 'no', timeout_ms: 1_000 };
  await publish(url, 'asked', [{ type: 'decision:point', data: decision }]);
  const inspector = await server.inspector();
  await inspector.evaluate(`{
    const Right = Date;
    globalThis.Date = class extends Right {
      constructor(...given) { super(...(given.length === 0 ? [Date.now()] : given)); }
      static now() { return Right.now() - 3_600_000; }
    };
  }`);
  const toldMs = Date.parse(String((await ask('GET', `${url}/api/stats`)).body['timestamp']));
  await publishSome(books, url, 10);
  const statusOf = async () => (await ask('GET', `${url}/api/sessions/asked/decisions/d`)).body['status'];
  await until('the deadline of the question', async () => (await statusOf()) === 'made', 10_000).catch(() => undefined);
  const checks = [
    same('clock set back: hours, as the server tells', Math.round((Date.now() - toldMs) / 3_600_000), 1),
    same('clock set back: refused', books.refused, 0),
    same('clock set back: a question after its 1 s', String(await statusOf()), 'made'),
  ];
  await server.end('SIGKILL');
  server = await serve(scene, { journal });
  await publishSome(books, server.url, 10);
  checks.push(
    same(`clock set back, then killed: lost of ${books.total}, or at another place`, (await books.missing(server.url)).length, 0),
  );
  await server.end('SIGTERM');
  return checks;
}

const cases = [diskFull, truncated, damagedPlaces, deleted, folderReadOnly, clockBack];
/** What no other test does: see full-disk.test.ts, and damage, repair and clock tests. */
const shortCases = [deleted, folderReadOnly];

async function run(scene: Scene): Promise<Check[]> {
  const checks: Check[] = [];
  for (const each of scene.size === 'short' ? shortCases : cases) checks.push(...(await each(scene)));
  return checks;
}

export const journal: Row = {
  name: 'journal',
  fault: 'disk full, then freed; truncated, damaged at 20 places, deleted, folder read-only; clock set back an hour',
  run,
};
