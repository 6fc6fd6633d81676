import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ShannonDashError } from '../../src/core/protocol/errors.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { createToken } from '../../src/server/access/tokens/token-changes.ts';
import { createServer } from '../../src/server/create-server.ts';
import { bareRequest } from '../helpers/bare-request.ts';
import { connectRaw } from '../helpers/raw-websocket.ts';

/** A journal on a disk that is full, and says so with its path. */
class FullJournal extends MemoryJournal {
  override append(): Promise<never> {
    return Promise.reject(new ShannonDashError('JOURNAL_FAILED', `The journal could not be written: ENOSPC: write '${this.location}'`));
  }
}

/** An address of this machine that other machines can reach, if it has one. */
const outside = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

/** A server whose journal fails, with a sound skill and a broken one; all of it lies in `folder`. */
async function startFullServer() {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-paths-'));
  const skills = join(folder, '.shannon', 'skills');
  mkdirSync(skills, { recursive: true });
  writeFileSync(join(skills, 'lint.yaml'), 'name: lint\ndescription: looks\n');
  writeFileSync(join(skills, 'broken.yaml'), 'name: [');
  const journal = Object.assign(new FullJournal(), { location: join(folder, 'journal.db') });
  const tokenFile = join(folder, 'tokens');
  const { text: token } = createToken(tokenFile, { name: 'boss', role: 'admin' });
  const server = await createServer({ journal, tokenFile, projectFolder: folder, allowedHosts: ['dash.example'] });
  onTestFinished(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  const { port } = await server.listen({ host: '0.0.0.0', port: 0 });
  const ask = async (options: { headers?: Record<string, string>; host?: string }) => {
    const json = { 'content-type': 'application/json', ...options.headers };
    const answers = [
      await bareRequest(port, '/api/stats', options),
      await bareRequest(port, '/api/skills', options),
      await bareRequest(port, '/api/skills/lint', options),
      await bareRequest(port, '/api/sessions/s/events', { ...options, method: 'POST', headers: json, body: '{"type":"a:b"}' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 503]);
    return answers.map(({ text }) => text);
  };
  return { folder, port, ask, token };
}

describe('row 26: no answer names a path of the machine to those who may not know', () => {
  test('a program on this machine is told; a page, a proxy, another name and another machine are not', async () => {
    const { folder, port, ask, token } = await startFullServer();
    for (const text of await ask({})) expect(text).toContain(folder);
    const strangers: { headers?: Record<string, string>; host?: string }[] = [
      { headers: { origin: 'http://localhost:3000' } },
      { headers: { 'x-forwarded-for': '203.0.113.7' } },
      { headers: { host: 'dash.example' } },
      ...(outside === undefined ? [] : [{ host: outside }]),
    ];
    for (const stranger of strangers) {
      // Whoever does not call as a program on this machine needs a token, except for pages that the server lets in.
      const texts = await ask({ ...stranger, headers: { ...stranger.headers, authorization: `Bearer ${token}` } });
      for (const text of texts) expect(text).not.toContain(folder);
      expect(JSON.parse(texts.at(-1) ?? '')).toMatchObject({ code: 'JOURNAL_FAILED', error: expect.stringContaining('log') });
    }
    const told = async (headers: Record<string, string>) => {
      const raw = await connectRaw(port, { headers: { ...headers, Authorization: `Bearer ${token}` } });
      raw.send('421["publish",{"session_id":"s","events":[{"type":"a:b"}]}]');
      return raw.next('431[');
    };
    expect(await told({})).not.toContain(folder);
    expect(await told({ Host: 'dash.example' })).toMatch(/JOURNAL_FAILED/);
    expect(await told({ Host: 'dash.example' })).not.toContain(folder);
  });
});
