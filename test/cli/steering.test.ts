import { expect, test } from 'vitest';
import { http, type Json } from '../helpers/start-server.ts';
import { newServerPlace, type ServerPlace } from './server-place.ts';

async function serveRun(): Promise<ServerPlace> {
  const place = await newServerPlace();
  place.env['SHANNON_DASH_SESSION'] = 's';
  await place.publishAll('s', { type: 'execution:started' });
  return place;
}

test('the gate is open while the session runs', async () => {
  const place = await serveRun();
  expect(await place.run('gate')).toMatchObject({ code: 0, stdout: '', stderr: '' });
});

test('the gate is closed while it is halted, also over a restart of the server', async () => {
  const place = await serveRun();
  await place.command('s', 'HALT', { reason: 'lunch' });
  const gate = place.start('gate', '--json');
  await gate.until(({ stderr }) => /s is halted by .*: lunch; waiting for RESUME/.test(stderr));
  await place.server.restart();
  expect(gate.child.exitCode).toBeNull();
  await place.command('s', 'RESUME');
  const end = await gate.ended;
  expect(end.code).toBe(0);
  expect(JSON.parse(end.stdout)).toMatchObject({ v: 1, ok: true, session_id: 's', status: 'running' });
});

test('a gate that stays closed too long is 3', async () => {
  const place = await serveRun();
  await place.command('s', 'HALT');
  const end = await place.run('gate', '--timeout', '2s');
  expect(end.code).toBe(3);
  expect(end.stderr).toMatch(/^error: s is still halted after 2s\n {2}let it go on: shannon-dash send RESUME -s s$/m);
});

test('decide prints the choice that somebody makes', async () => {
  const place = await serveRun();
  const asked = place.start('decide', 'Deploy?', '--option', 'yes', '--option', 'no', '--id', 'd-1');
  await asked.until(({ stderr }) => stderr.includes('curl'));
  expect(asked.stderr).toContain('d-1 in s: Deploy?  [yes] [no]');
  await place.command('s', 'DECISION', { decision_id: 'd-1', choice: 'no' });
  expect(await asked.ended).toMatchObject({ code: 0, stdout: 'no\n' });
});

test('decide can be answered by the one curl line that it prints, once', async () => {
  const place = await serveRun();
  const asked = place.start('decide', "Is it Ana's turn?", '--option', "Ana's", '--option', 'not yet');
  await asked.until(({ stderr }) => stderr.includes('curl'));
  const [, body, url] = /curl -H '[^']*' -d '(.*)' (http\S+)$/m.exec(asked.stderr) ?? [];
  expect(body).toBe(`{"choice":"Ana'\\''s"}`);
  const answer = { choice: "Ana's" };
  expect((await http('POST', url ?? '', answer)).body['success']).toBe(true);
  expect(await asked.ended).toMatchObject({ code: 0, stdout: "Ana's\n" });
  expect((await http('POST', url ?? '', answer)).status).toBe(409);
});

test('the default is the choice when nobody answers in time', async () => {
  const place = await serveRun();
  const end = await place.call('decide', 'Deploy?', '--option', 'yes', '--option', 'no', '--default', 'no', '--timeout', '2s', '--json');
  expect(end.code).toBe(0);
  expect(JSON.parse(end.stdout)).toMatchObject({ v: 1, ok: true, session_id: 's', choice: 'no', made_by: 'timeout' });
});

test('without a default it is 3, and asking again under the same id gets the answer', async () => {
  const place = await serveRun();
  const question = ['decide', 'Deploy?', '--option', 'yes', '--option', 'no', '--id', 'd-1'];
  const end = await place.call(...question, '--timeout', '2s');
  expect(end.code).toBe(3);
  expect(end.stderr).toMatch(/nobody has answered d-1 in 2s; it stays open/);
  await place.command('s', 'DECISION', { decision_id: 'd-1', choice: 'yes' });
  expect(await place.call(...question)).toMatchObject({ code: 0, stdout: 'yes\n' });
  const { body } = await http<{ events: Json[] }>('GET', `${place.url}/api/sessions/s/events?types=decision:point`);
  expect(body.events).toHaveLength(1);
});

test('decide waits on while the server is restarted', async () => {
  const place = await serveRun();
  const asked = place.start('decide', 'Deploy?', '--option', 'yes', '--option', 'no', '--id', 'd-1');
  await asked.until(({ stderr }) => stderr.includes('curl'));
  await place.server.restart();
  await place.command('s', 'DECISION', { decision_id: 'd-1', choice: 'yes' });
  expect(await asked.ended).toMatchObject({ code: 0, stdout: 'yes\n' });
});

test('Ctrl-C leaves the decision open', async () => {
  const place = await serveRun();
  const asked = place.start('decide', 'Deploy?', '--option', 'yes', '--id', 'd-1');
  await asked.until(({ stderr }) => stderr.includes('curl'));
  asked.child.kill('SIGINT');
  expect((await asked.ended).code).toBe(130);
  expect((await http('GET', `${place.url}/api/sessions/s/decisions/d-1`)).body['status']).toBe('open');
});

test('a checkpoint prints its id', async () => {
  const place = await serveRun();
  const { code, stdout } = await place.run('checkpoint', '--label', 'before migration');
  expect(code).toBe(0);
  expect((await http('GET', `${place.url}/api/sessions/s`)).body['checkpoints']).toMatchObject([
    { checkpoint_id: stdout.trim(), label: 'before migration' },
  ]);
});

test('where snapshots are taken it ends when it is saved, or says that it could not be', async () => {
  const place = await serveRun();
  place.env['SHANNON_DASH_CHECKPOINTS'] = 'git';
  const answer = (type: string, id: string, data: object = {}) => place.publishAll('s', { type, data: { checkpoint_id: id, ...data } });
  const made = place.start('checkpoint', '--id', 'c-1');
  const seen = await place.call('watch', 's', '--json', '--since', '1', '--at', '2');
  expect(seen.stdout).toContain('checkpoint:created');
  await answer('checkpoint:saved', 'c-1');
  expect(await made.ended).toMatchObject({ code: 0, stdout: 'c-1\n' });
  expect(await place.call('checkpoint', '--id', 'c-1')).toMatchObject({ code: 0, stdout: 'c-1\n' });
  await answer('checkpoint:failed', 'c-2', { error: 'the disk is full' });
  const failed = await place.call('checkpoint', '--id', 'c-2');
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain('error: checkpoint c-2 was not saved: the disk is full');
  const unanswered = await place.call('checkpoint', '--id', 'c-3', '--timeout', '2s');
  expect(unanswered.code).toBe(3);
});
