import { expect, test } from 'vitest';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { newPlace, nodePath, runProgram, StartedProgram, type Place } from '../cli/started-program.ts';
import { newPostgresJournal } from '../helpers/postgres-journal.ts';
import { hasPostgres } from '../helpers/postgres-server.ts';

async function serveAt(place: Place, journal: string): Promise<{ url: string; server: StartedProgram }> {
  const server = new StartedProgram(['serve', '--port', '0', '--json', '--journal', journal], place);
  await server.until(({ stdout }) => stdout.includes('\n'));
  return { url: (JSON.parse(server.stdout) as { url: string }).url, server };
}

const linesOf = (events: readonly SessionEvent[]) =>
  events.flatMap(({ type, data }) => (type === 'process:output' && Array.isArray(data['lines']) ? data['lines'] : []));

function told({ stdout }: { stdout: string }): SessionEvent[] {
  const lines = stdout.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as SessionEvent).filter(({ type }) => type !== 'session:state');
}

test('a run, its watcher, a hook and a command that know two servers go on at the other one when theirs is killed', async ({ skip }) => {
  skip(!hasPostgres, 'no PostgreSQL answers');
  const journal = newPostgresJournal();
  const home = newPlace();
  const [first, second] = [await serveAt(home, journal), await serveAt(home, journal)];
  // What each counts is its own: all that one has done is no work of the other.
  const post = (path: string, body: unknown) =>
    fetch(`${first.url}/api/sessions${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  await post('/other/events', [{ type: 'my:own', data: {} }]);
  await post('/other/commands', { type: 'HALT' });
  const halted = async () => ((await (await fetch(`${second.url}/api/sessions/other`)).json()) as { status?: string }).status;
  await expect.poll(halted).toBe('halted');
  const stats = async () => (await (await fetch(`${second.url}/api/stats`)).json()) as object;
  await expect.poll(stats).toMatchObject({ servers: 2, events_total: 0 });
  const counted = async ({ url }: { url: string }) =>
    (await (await fetch(`${url}/metrics`)).text()).match(/^shannon_dash_(?:events|commits|commands)_total.* [1-9]\d*$/gm)?.length ?? 0;
  expect([await counted(first), await counted(second)]).toEqual([3, 0]);
  const place = { ...home, env: { ...home.env, SHANNON_DASH_URL: `${first.url.slice('http://'.length)}, ${second.url}` } };

  const watcher = new StartedProgram(['watch', '--wait', '--json', 's'], place);
  await watcher.until(({ stderr }) => stderr.includes('waiting'));
  const count = `let n = 0; process.stdin.on('data', () => process.exit()); setInterval(() => console.log(++n), 5)`;
  const run = new StartedProgram(['run', '--session', 's', '--no-files', '--', nodePath, '-e', count], place);
  await watcher.until((so) => linesOf(told(so)).length > 50);
  first.server.child.kill('SIGKILL');
  await first.server.ended;
  const atKill = linesOf(told(watcher)).length;
  await watcher.until((so) => linesOf(told(so)).length > atKill + 200);

  const stopped = await runProgram(['send', 'HALT', '-s', 's'], place);
  expect(stopped).toMatchObject({ code: 0, stderr: '' });
  const hooked = await runProgram(['hook', 'claude-code'], place, JSON.stringify({ hook_event_name: 'SessionStart', session_id: 'a' }));
  expect(hooked).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse((await runProgram(['sessions', '--json'], place)).stdout)).toMatchObject({ total: 3 });
  await runProgram(['send', 'RESUME', '-s', 's'], place);
  run.child.stdin?.write('end\n');
  expect(await run.ended).toMatchObject({ code: 0 });

  const answer = await fetch(`${second.url}/api/sessions/s/events?limit=10000`);
  const { events } = (await answer.json()) as { events: SessionEvent[] };
  const printed = run.stdout.trim().split('\n');
  expect(linesOf(events)).toEqual(printed);
  await watcher.until((so) => told(so).some(({ type }) => type === 'execution:completed'));
  expect(told(watcher).map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq));
});
