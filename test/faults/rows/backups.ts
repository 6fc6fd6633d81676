import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { keepGoing, linesOf, publishSurely } from '../client.ts';
import { same, told, type Check, type Row, type Scene } from '../scene.ts';
import { runProgram, serve } from '../served.ts';

const sessions = ['a', 'b', 'c', 'd'];

/** Backups of a server that takes events all the while; each is served, and compared with what was acknowledged. */
async function run(scene: Scene): Promise<Check[]> {
  const times = scene.sized(2, 20);
  const folder = scene.newFolder();
  const server = await serve(scene, { journal: join(folder, 'journal.db') });
  const acknowledged = new Map(sessions.map((session) => [session, 0]));
  const publishing = keepGoing(sessions, async (session, n) => {
    const events = Array.from({ length: 20 }, (_, at) => ({ type: 'test:step', data: { n, at, filler: 'x'.repeat(200) } }));
    acknowledged.set(session, (await publishSurely(server.url, session, events)).last_seq ?? 0);
  });
  const copies: { path: string; least: Map<string, number> }[] = [];
  for (let n = 0; n < times; n++) {
    const path = join(folder, `copy${n}.db`);
    const least = new Map(acknowledged);
    // One in five by the command, the others by the route that it uses.
    if (n % 5 === 1) {
      const backup = await runProgram(scene, 'journal', 'backup', path, '--journal', join(folder, 'journal.db'));
      if (backup.code !== 0) throw new Error(backup.stderr);
    } else {
      const answer = await fetch(`${server.url}/api/journal/backup`);
      if (answer.status !== 200 || answer.body === null) throw new Error(`a backup is answered ${answer.status}`);
      await pipeline(Readable.from(answer.body), createWriteStream(path));
    }
    copies.push({ path, least });
  }
  await publishing.stop();
  const whole = new Map<string, string[]>();
  for (const session of sessions) whole.set(session, await linesOf(server.url, session));
  let [wrong, missing, restored] = [0, 0, 0];
  for (const { path, least } of copies) {
    const copy = await serve(scene, { journal: path });
    for (const session of sessions) {
      const lines = (least.get(session) ?? 0) === 0 ? [] : await linesOf(copy.url, session);
      wrong += lines.filter((line, at) => whole.get(session)?.[at] !== line).length;
      missing += Math.max(0, (least.get(session) ?? 0) - lines.length);
      restored += lines.length;
    }
    await copy.end('SIGKILL');
  }
  return [
    same('backups restored', copies.length, times),
    same('events that differ', wrong, 0),
    same('missing, acknowledged before it was asked for', missing, 0),
    told('events compared', restored.toLocaleString('en-US')),
  ];
}

export const backups: Row = { name: 'backups', fault: 'a backup taken 20 times under load, each restored', run };
