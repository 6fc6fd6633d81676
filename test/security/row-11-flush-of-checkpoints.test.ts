import { expect, describe, test } from 'vitest';
import { newRunPlace, shell, until } from '../cli/run-place.ts';
import { http } from '../helpers/start-server.ts';

describe('row 11: whoever may publish does not flush the checkpoints', () => {
  test('the start and the checkpoints of the program stay, and strangers do not stop the program each time', async () => {
    const place = await newRunPlace();
    await shell('git init -q .; echo 1 > a', place);
    const script =
      'shannon-dash checkpoint --id mine; echo 2 > a; echo ready; read go; shannon-dash checkpoint --id later; echo done; read go';
    const program = place.start('s', '--checkpoints', 'git', '--no-files', '--', 'sh', '-c', script);
    await program.until(({ stdout }) => stdout.includes('ready'));
    const forged = ['start', 'mine', 'before-rollback-1', ...Array.from({ length: 222 }, (_, at) => `x-${at}`)];
    const events = forged.map((checkpoint_id) => ({ type: 'checkpoint:created', data: { checkpoint_id, proof: 'command-line.0' } }));
    expect((await http('POST', `${place.server.url}/api/sessions/s/events`, events)).status).toBe(200);
    const told = async (type: string) => (await place.events('s')).filter((event) => event.type === type).map(({ data }) => data);
    await until('all are answered', async () => (await told('checkpoint:saved')).length + (await told('checkpoint:failed')).length === 226);
    const refused = await told('checkpoint:failed');
    expect(refused.length).toBeGreaterThan(200);
    expect(refused.map(({ checkpoint_id }) => checkpoint_id)).toEqual(expect.arrayContaining(['start', 'mine', 'before-rollback-1']));
    program.child.stdin?.write('\n');
    await program.until(({ stdout }) => stdout.includes('done'));
    expect((await told('checkpoint:saved')).map(({ checkpoint_id }) => checkpoint_id)).toContain('later');
    expect(await place.command('s', 'ROLLBACK', { checkpoint_id: 'mine' })).toMatchObject({ status: 'applied' });
    expect(place.read('a')).toBe('1\n');
    expect(await place.command('s', 'ROLLBACK', { checkpoint_id: 'start', dry_run: true })).toMatchObject({ status: 'applied' });
    await place.command('s', 'RESUME');
    program.child.stdin?.end('\n');
    expect(await program.ended).toMatchObject({ code: 0 });
  });
});
