import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { connect, type LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished } from 'vitest';
import type { BareAnswer } from './bare-request.ts';
import { installDebianPackages } from './debian-packages.ts';

const run = promisify(execFile);
/** Programs of an administrator are not on the path of every user. */
const path = [process.env['PATH'], '/usr/sbin'].join(delimiter);

/** Installs what is not there, where that can be done; else says why not. */
export async function findPrograms(packages: Record<string, string>): Promise<string | undefined> {
  const isThere = (program: string) => path.split(delimiter).some((folder) => existsSync(join(folder, program)));
  const missing = Object.keys(packages).filter((program) => !isThere(program));
  return missing.length === 0 ? undefined : installDebianPackages(...missing.map((program) => packages[program] ?? program));
}

/** A proxy of this machine that speaks TLS as dash.example. */
export interface TlsProxy {
  url: string;
  /** For requests to it: it leads dash.example here, and knows its certificate. */
  agent: Agent;
  ask: (path: string, options?: { method?: string; headers?: Record<string, string>; body?: string }) => Promise<BareAnswer>;
}

/** What differs between the proxies. */
export interface ProxyKind {
  /** Makes of the documented file one that can run here. */
  configure: (text: string, here: { port: number; upstream: number; folder: string }) => string;
  command: (file: string, folder: string) => string[];
}

/** Starts a proxy with a documented configuration, and a certificate made for it; it ends with the test. */
export async function startTlsProxy(
  file: string,
  { configure, command }: ProxyKind,
  { port, upstream }: { port: number; upstream: number },
): Promise<TlsProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-proxy-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const name = ['-subj', '/CN=dash.example', '-addext', 'subjectAltName=DNS:dash.example'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  await run('openssl', ['req', '-x509', ...curve, '-nodes', '-days', '2', ...name, '-keyout', key, '-out', certificate]);
  const configuration = join(folder, 'configuration');
  writeFileSync(
    configuration,
    configure(readFileSync(new URL(`../../docs/proxy/${file}`, import.meta.url), 'utf8'), { port, upstream, folder }),
  );
  const [program = '', ...args] = command(configuration, folder);
  const env = { PATH: path, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  onTestFinished(async () => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    if (child.pid !== undefined && ended !== undefined) process.kill(-child.pid, 'SIGTERM');
    await ended;
  });
  const takes = () =>
    new Promise<boolean>((resolve, reject) => {
      if (child.exitCode !== null) reject(new Error(`${program} has ended: ${said}`));
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  await expect.poll(takes).toBe(true);
  const lookup: LookupFunction = (_name, options, found) =>
    options.all === true ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4);
  const agent = new Agent({ ca: readFileSync(certificate), lookup, keepAlive: true });
  onTestFinished(() => agent.destroy());
  const url = `https://dash.example:${port}`;
  return {
    url,
    agent,
    ask: (asked, { method = 'GET', headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const sent = request(new URL(asked, url), { method, headers, agent }, (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        });
        sent.on('error', reject);
        sent.end(body);
      }),
  };
}
