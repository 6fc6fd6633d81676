import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { roles } from '../../src/core/access.ts';
import { createToken } from '../../src/server/access/tokens/token-changes.ts';
import { bin, newPlace, StartedProgram, type Place } from '../cli/started-program.ts';
import { bareRequest } from '../helpers/bare-request.ts';
import { connectRaw } from '../helpers/raw-websocket.ts';

/** How long each server is sent anything at all. By hand: `FUZZ_SECONDS=60`. */
const seconds = Number(process.env['FUZZ_SECONDS'] ?? 3);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);

const id = fc.constantFrom('s', 'constructor', '__proto__', '%00', '..%2f', 'ä', 'x'.repeat(300), '*');
const path = fc.oneof(
  fc.constantFrom('/', '/health', '/api/sessions', '/api/skills', '/api/stats', '/metrics', '/api/docs', '/api/audit', '/login'),
  fc
    .tuple(id, fc.constantFrom('', '/events', '/commands', '/decisions/d', '/decisions/d/answer/x'))
    .map(([name, rest]) => `/api/sessions/${name}${rest}`),
  fc.webPath().map((each) => `/${each}`),
);
const query = fc.oneof(
  fc.constant(''),
  fc.webQueryParameters().map((each) => `?${each}`),
  fc.constantFrom('?at=1', '?after=-1', '?limit=1e9', '?types=*'),
);
const known = { type: 'a:b', session_id: 's', events: [], data: {}, command_id: 'c', decision_id: 'd', choice: 'x', timeout_ms: 1 };
const json = fc.oneof(
  fc.json(),
  fc
    .record(Object.fromEntries(Object.entries(known).map(([name, value]) => [name, fc.oneof(fc.constant(value), fc.jsonValue())])), {
      requiredKeys: [],
    })
    .map((each) => JSON.stringify(each)),
);
const header = fc.tuple(
  fc.constantFrom('content-type', 'accept', 'x-client', 'last-event-id', 'origin', 'cookie', 'x-forwarded-for'),
  fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
);
const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PUT'),
  path: fc.tuple(path, query).map((parts) => parts.join('')),
  headers: fc.array(header, { maxLength: 3 }).map((pairs) => ({ 'content-type': 'application/json', ...Object.fromEntries(pairs) })),
  body: json,
});
interface Request {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
  token: string | undefined;
}

const name = fc.oneof(
  fc.constantFrom('publish', 'subscribe', 'command', 'cli_event', 'orchestrator:attach', 'command:update', 'unsubscribe', 'ping'),
  fc.string(),
);
const frame = fc.oneof(
  fc.tuple(name, json).map(([event, payload]) => `42${JSON.stringify([event])?.slice(0, -1)},${payload}]`),
  fc.tuple(fc.constantFrom('2', '3', '40', '41', '42', '43', '44', '451-', '46', '4', '6', ''), fc.string()).map((parts) => parts.join('')),
);
const word = fc.oneof(
  fc.constantFrom(
    'send',
    'watch',
    'stats',
    'sessions',
    'commands',
    'token',
    'emit',
    'HALT',
    '--json',
    '--session',
    '--timeout',
    '1ms',
    '-s',
    's',
    '--',
    '--data',
    '{}',
  ),
  fc.string({ maxLength: 20 }).filter((each) => !each.includes('\0')),
);

/** Works on one value after the other until the time is over; gives their number. */
async function until(work: (value: never) => Promise<void>, values: fc.Arbitrary<unknown>, endsAtMs: number): Promise<number> {
  let asked = 0;
  for (let round = 0; performance.now() < endsAtMs; round++) {
    for (const value of fc.sample(values, { numRuns: 20, seed: seed + round })) {
      if (performance.now() > endsAtMs) break;
      await work(value as never);
      asked++;
    }
  }
  return asked;
}

/** No token, one that nobody has, and one of each role. */
async function tokensOf(place: Place, url: string): Promise<(string | undefined)[]> {
  const file = join(place.folder, 'state/shannon-dash/journal.db-tokens');
  const made = roles.map((role) => createToken(file, { name: role, role, ...(role === 'admin' ? {} : { sessions: ['s*'] }) }).text);
  for (const text of made) {
    const status = () =>
      bareRequest(Number(new URL(url).port), '/api/sessions', { headers: authorization(text) }).then((each) => each.status);
    await expect.poll(status).toBe(200);
  }
  return [undefined, 'nonsense', ...made];
}

const authorization = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

const descriptors = (pid: number) => (process.platform === 'linux' ? readdirSync(`/proc/${pid}/fd`).length : 0);

test.each([
  ['that asks nobody here for a token', []],
  ['that asks everybody, by callers with none and of each role', ['--auth']],
])(
  'row 45: a server %s takes anything at all: it stays up, answers no 5xx, and keeps no descriptor',
  { timeout: 200_000 },
  async (_, flags) => {
    const place = newPlace();
    const server = new StartedProgram(['serve', '--port', '0', '--json', ...flags], place);
    await server.until(({ stdout }) => stdout.includes('ready'));
    const { url, pid } = JSON.parse(server.stdout) as { url: string; pid: number };
    const port = Number(new URL(url).port);
    const before = descriptors(pid);
    const tokens = flags.length === 0 ? [undefined] : await tokensOf(place, url);
    const endsAtMs = performance.now() + seconds * 1_000;
    const faults: unknown[] = [];
    const asked = await Promise.all([
      until(
        async ({ token, method, path: at, body, ...rest }: Request) => {
          const headers = { ...rest.headers, ...authorization(token) };
          const sent = method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? { method, headers } : { method, headers, body };
          const isStream = Object.values(headers).some((value) => value.includes('event-stream'));
          if (isStream) return;
          const answer = await bareRequest(port, encodeURI(at.replaceAll(/[^ -~]/g, '')).replaceAll('%25', '%'), sent).catch(
            () => undefined,
          );
          if (answer !== undefined && answer.status >= 500) faults.push([method, at, body, answer.status, answer.text]);
        },
        fc.tuple(request, fc.constantFrom(...tokens)).map(([each, token]) => ({ ...each, token })),
        endsAtMs,
      ),
      until(
        async ([frames, token]: [string[], string | undefined]) => {
          const isKnown = flags.length === 0 || token?.startsWith('sd_') === true;
          const raw = await connectRaw(port, { join: isKnown, headers: authorization(token) }).catch(() => undefined);
          for (const each of frames) raw?.send(each);
          await new Promise((resolve) => setImmediate(resolve));
          raw?.socket.destroy();
          if (raw?.packets.some((packet) => packet.includes('"INTERNAL"')) === true) faults.push([frames, raw.packets]);
        },
        fc.tuple(fc.array(frame, { minLength: 1, maxLength: 20 }), fc.constantFrom(...tokens)),
        endsAtMs,
      ),
      until(
        async (bytes: Uint8Array) => {
          const socket = connect(port, '127.0.0.1').on('error', () => undefined);
          socket.end(bytes);
          socket.resume();
          await once(socket, 'close').catch(() => undefined);
        },
        fc.uint8Array({ maxLength: 300 }),
        endsAtMs,
      ),
      until(
        async (words: string[]) => {
          const child = spawn(process.execPath, [bin, ...words, '--url', url], {
            cwd: place.folder,
            env: place.env,
            stdio: ['ignore', 'pipe', 'pipe'],
            timeout: 5_000,
          });
          let told = '';
          for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (told += data.toString()));
          await once(child, 'close');
          if (/unexpected:|Cannot read prop|at \S+ \(.*\.js:\d+/.test(told)) faults.push([words, told]);
        },
        fc.array(word, { minLength: 1, maxLength: 5 }).filter(([first]) => first !== 'watch' && first !== 'serve' && first !== 'run'),
        endsAtMs,
      ),
    ]);
    console.log(`seed ${seed}: requests, connections with frames, raw connections, commands: ${asked.join(', ')}`);
    expect(faults).toEqual([]);
    // So many connections of one address may be closed at first.
    const health = () => bareRequest(port, '/health').then(({ status }) => status, String);
    await expect.poll(health, { timeout: 20_000 }).toBe(200);
    await expect.poll(() => descriptors(pid), { timeout: 20_000 }).toBeLessThanOrEqual(before + 2);
  },
);
