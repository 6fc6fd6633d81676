import { expect, onTestFinished, test } from 'vitest';
import { connectOrchestrator } from '../../src/client/orchestrator/orchestrator.ts';
import { attachOrchestrator } from '../helpers/test-orchestrator.ts';
import { WatchedProgram } from '../dashboard/watched-program.ts';
import { newServerPlace, type ServerPlace } from './server-place.ts';

async function serveRun(): Promise<ServerPlace> {
  const place = await newServerPlace();
  await place.publish('s', 'execution:started');
  return place;
}

/** A command's document, or that of an error. */
function document(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}

test('HALT says by whom it was applied and how long it took; RESUME too', async () => {
  const place = await serveRun();
  expect(await place.run('send', 'halt', '--reason', 'lunch')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^HALT applied by server in [\d.]+ ms \(halted; no program is attached\)\n$/) as string,
    stderr: '',
  });
  expect((await place.call('send', 'RESUME')).stdout).toMatch(
    /^RESUME applied by server in [\d.]+ ms \(running; no program is attached\)\n$/,
  );
});

test('--json gives the wire result, versioned', async () => {
  const place = await serveRun();
  const { stdout } = await place.call('send', 'HALT', '--id', 'h-1', '--json');
  expect(document(stdout)).toMatchObject({ v: 1, ok: true, command_id: 'h-1', session_id: 's', command_type: 'HALT', status: 'applied' });
  expect(document(stdout)['elapsed_ms']).toEqual(expect.any(Number));
});

test('the name that others see is that of the setting', async () => {
  const place = await serveRun();
  place.env['SHANNON_DASH_CLIENT'] = 'Zoë';
  await place.call('send', 'HALT');
  expect((await place.call('commands', '--json')).stdout).toContain('"by":"Zoë"');
});

test('a refusal says why, and is 7', async () => {
  const place = await serveRun();
  const { code, stdout, stderr } = await place.run('send', 'RESUME', '--json');
  expect(code).toBe(7);
  expect(document(stdout)).toMatchObject({ ok: false, status: 'rejected', error: 'Cannot resume - execution is running' });
  expect(document(stderr)).toMatchObject({ ok: false, error: { code: 'CONFLICT', message: 'cannot resume - execution is running' } });
});

test('a decision that was made already says what and by whom', async () => {
  const place = await serveRun();
  await place.publish('s', 'decision:point', { decision_id: 'd-19', question: '?', options: ['migrate', 'skip'] });
  place.env['SHANNON_DASH_CLIENT'] = 'ana';
  expect((await place.call('send', 'DECISION', '--decision', 'd-19', '--choice', 'migrate')).code).toBe(0);
  const late = await place.call('send', 'DECISION', '--decision', 'd-19', '--choice', 'skip');
  expect(late.code).toBe(7);
  expect(late.stderr).toMatch(/^error: decision d-19 was already made: "migrate" by ana$/m);
});

test('what the orchestrator does not acknowledge is 3, and the ledger tells the end later', async () => {
  const place = await serveRun();
  const orchestrator = await attachOrchestrator(place.url, { instance_id: 'slow' });
  orchestrator.answer = () => undefined;
  const { code, stderr } = await place.run('send', 'HALT', '--timeout', '300ms');
  expect(code).toBe(3);
  expect(stderr).toMatch(/^error: no acknowledgement from s in 300 ms; it may still halt\n {2}look: shannon-dash stats$/m);
  expect((await place.call('commands')).stdout).toMatch(/HALT\s+delivered\s+\S+\s+slow/);
  await orchestrator.update(orchestrator.executed[0] ?? { command_id: '', session_id: 's' }, { status: 'applied' });
  expect((await place.call('commands')).stdout).toMatch(/HALT\s+applied\s+\S+\s+slow/);
});

test('--wait delivered and --wait queued end earlier', async () => {
  const place = await serveRun();
  expect(await place.call('send', 'INJECT', '--skill', 'lint', '--wait', 'queued')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^INJECT queued for s in /) as string,
  });
  const orchestrator = await attachOrchestrator(place.url);
  orchestrator.answer = () => undefined;
  expect(await place.call('send', 'REDIRECT', '--path', 'src', '--wait', 'delivered')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^REDIRECT delivered for s in /) as string,
  });
});

test('what the orchestrator could not do is 1, with its reason', async () => {
  const place = await serveRun();
  const orchestrator = await attachOrchestrator(place.url);
  orchestrator.answer = () => ({ status: 'failed', error: 'no such skill' });
  const { code, stderr } = await place.run('send', 'INJECT', '--skill', 'x', '-p', 'files=12', '-p', 'name=lint', '--position', '3');
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: INJECT failed in s: no such skill$/m);
  expect(orchestrator.executed[0]).toMatchObject({ skill_name: 'x', parameters: { files: 12, name: 'lint' }, position: 3 });
});

test('the same --id is the same command', async () => {
  const place = await serveRun();
  const orchestrator = await attachOrchestrator(place.url);
  for (const _ of [1, 2, 3]) expect((await place.call('send', 'INJECT', '--skill', 'x', '--id', 'once')).code).toBe(0);
  expect(orchestrator.executed).toHaveLength(1);
});

test('--all sends to every live session and says how each ended', async () => {
  const place = await serveRun();
  await place.publish('t', 'execution:started');
  await place.publish('over', 'execution:completed');
  const { code, stdout } = await place.call('send', 'HALT', '--all');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^s: HALT applied by server in .*\nt: HALT applied by server in .*\n$/);
  const again = await place.call('send', 'RESUME', '--all', '--json');
  expect(document(again.stdout)).toMatchObject({
    v: 1,
    ok: true,
    session_id: '*',
    results: [
      { session_id: 's', ok: true },
      { session_id: 't', ok: true },
    ],
  });
});

test('--dry-run of what cannot preview itself sends nothing', async () => {
  const place = await serveRun();
  expect((await place.call('send', 'HALT', '--reason', 'x', '--dry-run')).stdout).toBe('would send HALT to s {"reason":"x"}\n');
  expect((await place.call('commands', '--json')).stdout).toContain('"total":0');
});

const preview = { checkpoint_id: 'c-2', restore: [{ path: 'a.txt', change: 'restored' }], unchanged_count: 3, cannot_undo: [] };

test('ROLLBACK on a terminal shows what would be undone and asks; what was shown is what happens', async () => {
  const place = await serveRun();
  const orchestrator = await connectOrchestrator({ url: place.url, session: 's' });
  onTestFinished(() => orchestrator.close());
  const seen: unknown[] = [];
  orchestrator.onCommand('ROLLBACK', (command) => {
    seen.push(command);
    return command.dry_run === true ? preview : { ...preview, restored: 1 };
  });
  const ask = async (answer: string) => {
    const terminal = new WatchedProgram(['send', 'ROLLBACK', '--steps', '2', '--url', place.url]);
    onTestFinished(() => terminal.kill());
    await terminal.shows('Roll back s? [y/N]');
    expect(terminal.text()).toContain('a.txt');
    terminal.type(answer);
    return { code: await terminal.ended(), text: terminal.text() };
  };
  const no = await ask('\r');
  expect(no.code).toBe(1);
  expect(no.text).toContain('error: nothing was changed');
  expect(seen).toMatchObject([{ steps: 2, dry_run: true }]);
  const yes = await ask('y\r');
  expect(yes.code).toBe(0);
  expect(yes.text).toMatch(/ROLLBACK applied by .* \(rolled back\)/);
  expect(seen.slice(1)).toMatchObject([{ steps: 2, dry_run: true }, { checkpoint_id: 'c-2' }]);
  expect((await ask('\x03')).code).toBe(130);
});

test('STOP on a terminal asks before it ends a session that nobody has named', async () => {
  const place = await serveRun();
  const orchestrator = await attachOrchestrator(place.url, { capabilities: ['STOP'] });
  const terminal = new WatchedProgram(['stop', '--url', place.url]);
  onTestFinished(() => terminal.kill());
  await terminal.shows('End the program of s? [y/N]');
  terminal.type('\r');
  expect(await terminal.ended()).toBe(1);
  expect(orchestrator.executed).toEqual([]);
  const named = new WatchedProgram(['stop', 's', '--url', place.url]);
  expect(await named.ended()).toBe(0);
  expect(named.text()).toMatch(/STOP applied/);
});

test('ROLLBACK --yes asks nobody, and --dry-run says what would be undone', async () => {
  const place = await serveRun();
  const orchestrator = await attachOrchestrator(place.url);
  orchestrator.answer = () => ({ status: 'applied', result: preview });
  const dry = await place.call('send', 'ROLLBACK', '--dry-run');
  expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining('a.txt') as string });
  expect((await place.call('send', 'ROLLBACK', '--checkpoint', 'c-2', '--yes', '--force')).code).toBe(0);
  expect(orchestrator.executed).toMatchObject([
    { steps: 1, dry_run: true },
    { checkpoint_id: 'c-2', force: true },
  ]);
});
