import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { newPlace, runProgram } from '../cli/started-program.ts';
import { http, publish, startServer } from '../helpers/start-server.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const endings = ['-log', '-wal', '-shm', '-journal'];

describe('row 2: a file beside the journal that is not its own', () => {
  test.each(endings)('a link at %s is not followed: what it leads to is left as it was', async (ending) => {
    const folder = await temporaryFolder();
    const victim = join(folder, 'bashrc');
    writeFileSync(victim, 'alias ll="ls -l"\n', { mode: 0o644 });
    const path = join(folder, 'j.db');
    symlinkSync(victim, path + ending);
    await expect(openSqliteJournal({ path, acceptLoss: true })).rejects.toMatchObject({
      code: 'JOURNAL_FAILED',
      message: expect.stringContaining(`${path}${ending} is a link: remove it, or name another journal`),
      details: { reason: 'foreign' },
    });
    expect([readFileSync(victim, 'utf8'), statSync(victim).mode & 0o777]).toEqual(['alias ll="ls -l"\n', 0o644]);
    expect(existsSync(path)).toBe(false);
  });

  test.each(['-log', '-wal', '-journal'])('notes of the user in the file %s are left as they were', async (ending) => {
    const path = join(await temporaryFolder(), 'victim');
    writeFileSync(path + ending, 'my own notes\n', { mode: 0o644 });
    await expect(openSqliteJournal({ path, acceptLoss: true })).rejects.toThrow(
      `${path}${ending} is there already and is not this journal's`,
    );
    expect([readFileSync(path + ending, 'utf8'), statSync(path + ending).mode & 0o777]).toEqual(['my own notes\n', 0o644]);
  });

  test.runIf(process.getuid?.() === 0)('a file of another user is refused', async () => {
    for (const ending of endings) {
      const path = join(await temporaryFolder(), 'j.db');
      writeFileSync(path + ending, '');
      chownSync(path + ending, 65_534, 65_534);
      chmodSync(path + ending, 0o666);
      await expect(openSqliteJournal({ path })).rejects.toThrow(`${path}${ending} belongs to another user`);
      expect(statSync(path + ending).uid).toBe(65_534);
    }
  });

  test('run starts its program all the same, and the link leads to what it led to', async () => {
    const place = newPlace();
    const victim = join(place.folder, 'bashrc');
    writeFileSync(victim, 'untouched\n');
    const journal = join(place.folder, 'j.db');
    symlinkSync(victim, `${journal}-log`);
    const env = { ...place.env, SHANNON_DASH_JOURNAL: journal, SHANNON_DASH_URL: 'http://127.0.0.1:1' };
    const { stdout } = await runProgram(['run', '--no-files', '--', 'sh', '-c', 'echo started'], { ...place, env });
    expect(stdout).toBe('started\n');
    expect(readFileSync(victim, 'utf8')).toBe('untouched\n');
    expect(existsSync(journal)).toBe(false);
  });
});

test('row 13: after DELETE, and after the stop, the text of a session is in none of the files', async () => {
  const server = await startServer();
  const secret = 'password=hunter2-';
  const filler = Array.from({ length: 200 }, (_, n) => ({
    type: 'test:step',
    id: `${secret}id-${n}`,
    data: { text: `${secret}${n} `.repeat(40) },
  }));
  await http('POST', `${server.url}/api/sessions`, { session_id: 's', metadata: { note: `${secret}metadata` } });
  for (let round = 0; round < 30; round++)
    await publish(
      server,
      's',
      filler.map((event) => ({ ...event, id: `${event.id}-${round}` })),
    );
  await publish(server, 'other', { type: 'test:step', data: { text: 'kept' } });
  const found = (text: string) =>
    readdirSync(server.folder).filter((name) => name.startsWith('journal') && readFileSync(join(server.folder, name)).includes(text));
  await expect.poll(() => found(secret)).toContain('journal.sqlite');
  expect((await http('DELETE', `${server.url}/api/sessions/s`)).status).toBe(200);
  expect(found(secret)).toEqual([]);
  await server.close();
  expect([found(secret), found('kept')]).toEqual([[], ['journal.sqlite']]);
});

test('row 30: ids of half a character are refused one by one, and a journal goes on for everybody', async () => {
  const server = await startServer();
  onTestFinished(() => server.close());
  for (const id of ['\ud800', '\ud801']) {
    const answer = await http('POST', `${server.url}/api/sessions/s/events`, { type: 'test:step', id, data: {} });
    expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID', error: expect.stringContaining('id') } });
  }
  // More than fits beside the database, so that it was written back.
  for (let n = 0; n < 20; n++) await publish(server, 't', { type: 'test:step', data: { n, text: 'x'.repeat(100_000) } });
  expect((await http('DELETE', `${server.url}/api/sessions/t`)).status).toBe(200);
  expect((await http('GET', `${server.url}/health`)).body).toMatchObject({ status: 'healthy' });
});
