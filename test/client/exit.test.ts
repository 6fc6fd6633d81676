import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startServer, type RestartableServer } from './restartable-server.ts';

const sdk = new URL('../../src/index.ts', import.meta.url).href;

let server: RestartableServer;

beforeEach(async () => {
  server = await startServer();
});

afterEach(() => server.remove());

/** Runs a program that uses the SDK; resolves with what it wrote and how long it stayed after its last line. */
async function run(
  program: string,
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string; lingeredMs: number }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    env: { ...process.env, SHANNON_DASH_URL: server.url, SHANNON_DASH_SESSION: 's', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  let lastAt = performance.now();
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString();
    lastAt = performance.now();
  });
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  const kill = setTimeout(() => child.kill('SIGKILL'), 50_000);
  const [code] = (await once(child, 'close')) as [number];
  clearTimeout(kill);
  return { code, out, err, lingeredMs: performance.now() - lastAt };
}

describe('a program', () => {
  test('ends by itself after close, whatever it used', async () => {
    const { code, out, err, lingeredMs } = await run(`
      import * as sdk from '${sdk}';
      const run = await sdk.connectOrchestrator();
      run.onCommand('REDIRECT', () => undefined);
      void run.decide({ question: 'Go?', options: ['yes'], timeoutMs: 60_000, default: 'yes' }).catch((error) => console.log(error.code));
      const operator = await sdk.connectOperator();
      const watcher = await sdk.connectWatcher({ session: 's' });
      const all = await sdk.connectWatcher();
      const publisher = await sdk.connectPublisher({ session: 'other' });
      await publisher.publish('note:made', {});
      await operator.send({ type: 'HALT', session_id: 's' });
      await run.close('completed', { result: 1 });
      for (const each of [operator, watcher, all, publisher]) await each.close();
      console.log('closed');
    `);
    expect({ code, out, err }).toEqual({ code: 0, out: 'UNREACHABLE\nclosed\n', err: '' });
    expect(lingeredMs).toBeLessThan(10_000);
  });

  test('ends by itself when it gave up connecting', async () => {
    const { code, out, lingeredMs } = await run(
      `
      import * as sdk from '${sdk}';
      for (const connect of [sdk.connectOrchestrator, sdk.connectOperator, sdk.connectWatcher, () => sdk.connectPublisher({ session: 's', signal: AbortSignal.timeout(100) })]) {
        await connect({ signal: AbortSignal.timeout(100) }).catch((error) => console.log(error.name));
      }
      await sdk.connectOperator({ retry: false }).catch((error) => console.log(error.code));
      await sdk.connectOrchestrator({ retry: false }).catch((error) => console.log(error.code));
    `,
      { SHANNON_DASH_URL: 'http://127.0.0.1:9' },
    );
    expect({ code, out }).toEqual({ code: 0, out: 'TimeoutError\nTimeoutError\nTimeoutError\nTimeoutError\nUNREACHABLE\nUNREACHABLE\n' });
    expect(lingeredMs).toBeLessThan(10_000);
  });

  test('survives a refused event that it does not wait for', async () => {
    const { code, out, err } = await run(`
      import * as sdk from '${sdk}';
      const run = await sdk.connectOrchestrator();
      void run.emit('skill:started', {});
      await run.emit('note:made', {});
      await run.close();
      void run.emit('note:made', {});
      console.log('alive');
    `);
    expect({ code, out, err }).toEqual({ code: 0, out: 'alive\n', err: '' });
  });

  test('loads neither the server nor the terminal', async () => {
    const { out } = await run(`
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
      await import('${sdk}');
      const heavy = /fastify|[/]ink[/]|react|node:sqlite|[/]socket[.]io[/]|[/]src[/](server|dashboard|cli|run|journal)[/]/;
      console.log(loaded.filter((url) => heavy.test(url)), loaded.some((url) => url.endsWith('src/client/watcher/watcher.ts')));
    `);
    expect(out).toBe('[] true\n');
  });
});
