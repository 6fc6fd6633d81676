import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { bin, newPlace } from '../cli/started-program.ts';
import { http } from '../helpers/start-server.ts';

test.skipIf(process.platform !== 'linux')(
  'with its descriptors exhausted it says so, and goes on afterwards',
  { timeout: 60_000 },
  async () => {
    const { folder, env } = newPlace();
    const command = [process.execPath, bin, 'serve', '--port', '0', '--json'];
    const child = spawn('/bin/sh', ['-c', 'ulimit -n 160; exec "$@"', 'sh', ...command], { cwd: folder, env });
    onTestFinished(() => void child.kill('SIGKILL'));
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    await expect.poll(() => stdout, { timeout: 30_000 }).toContain('\n');
    const { url } = JSON.parse(stdout) as { url: string };
    const sockets: Socket[] = [];
    for (let index = 0; index < 200; index++) sockets.push(connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined));
    await expect.poll(() => stderr, { timeout: 20_000 }).toContain('the limit of 160 open files is reached');
    expect(stderr.trim().split('\n').length).toBeLessThan(10);
    for (const socket of sockets) socket.destroy();
    const publishing = () =>
      http('POST', `${url}/api/sessions/s/events`, { type: 'execution:started' }).then(
        ({ status }) => status,
        () => 0,
      );
    await expect.poll(publishing, { timeout: 20_000 }).toBe(200);
  },
);
