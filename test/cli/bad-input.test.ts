import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { http } from '../helpers/start-server.ts';
import { callProgram } from './called-program.ts';
import { newServerPlace } from './server-place.ts';
import { bin, newPlace, nodePath, runProgram, serve, type End, type Place } from './started-program.ts';

/** What is wrong, the exit code, what it must say, and the next step that it must name. */
type Case = readonly [what: string, args: string[], code: number, says: RegExp, next: RegExp];

/** Port 1 at an address of this machine that no other test uses: nobody listens there. */
const nowhere = 'http://127.13.0.1:1';

function expectSentence({ code, stdout, stderr }: Omit<End, 'signal'>, [, , wanted, says, next]: Case): void {
  expect(stderr).toMatch(says);
  expect(stderr).toMatch(next);
  expect(code).toBe(wanted);
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(/^\s+at |node:internal|\.js:\d/m);
}

/** What the commands themselves find. */
const calls: Case[] = [
  ['no such flag', ['send', 'HALT', '--raeson', 'x'], 2, /unknown option "--raeson"\. Did you mean --reason\?/, /send --help/],
  ['a flag without its value', ['send', 'HALT', '--reason'], 2, /"--reason <text>" argument missing/, /send --help/],
  ['a missing argument', ['send'], 2, /missing required argument "type"/, /send --help/],
  ['too many arguments', ['gate', 'run-1'], 2, /too many arguments/, /gate --help/],
  ['an unknown type', ['send', 'HLAT'], 2, /^error: unknown command "HLAT"\. Did you mean HALT\?$/m, /send HALT/],
  ['a type like none', ['send', 'EXPLODE'], 2, /unknown command "EXPLODE"/, /known: HALT, RESUME/],
  ['a flag of another type', ['send', 'HALT', '--steps', '2'], 2, /--steps does not go with HALT/, /send --help/],
  ['steps that are no number', ['send', 'ROLLBACK', '--steps', 'two'], 2, /"--steps <n>".*whole number/, /send --help/],
  ['no steps at all', ['send', 'ROLLBACK', '--steps', '0', '--yes'], 2, /--steps must be from 1 to 1000/, /send --help/],
  ['a rollback of no session', ['send', 'ROLLBACK'], 7, /no session is live/, /shannon-dash run/],
  ['a redirect to nowhere', ['send', 'REDIRECT'], 2, /--skill or --path is required/, /send --help/],
  [
    'a position that is none',
    ['send', 'INJECT', '--skill', 'x', '--position', 'banana'],
    2,
    /--position must be next, end or/,
    /send --help/,
  ],
  ['a parameter without a value', ['send', 'INJECT', '--skill', 'x', '-p', 'x'], 2, /must be key=value/, /such as/],
  ['data that is not JSON', ['emit', 'skill:started', '-s', 'a', '--data', '{'], 2, /--data is not JSON/, /such as/],
  ['data that is a list', ['emit', 'skill:started', '-s', 'a', '--data', '[]'], 2, /--data must be a JSON object/, /such as/],
  [
    'data nested too deep',
    ['emit', 'a:b', '-s', 'a', '--data', `{"x":${'['.repeat(9_000)}${']'.repeat(9_000)}}`],
    2,
    /^error: the request .*nested/m,
    /correct/,
  ],
  ['a URL that is none', ['stats', '--url', 'ftp://x'], 2, /--url must be an http\(s\) URL/, /such as http/],
  ['a port that is none', ['serve', '--port', '99999'], 2, /--port must be a port from 0 to 65535/, /port/],
  ['a level that is none', ['serve', '--log-level', 'loud'], 2, /--log-level must be one of debug/, /warning/],
  ['a session that is none', ['watch', 'a b'], 2, /"a b" cannot be a session/, /shannon-dash sessions/],
  ['two beginnings', ['watch', '--since', '1', '--tail', '1'], 2, /--since and --tail/, /give one/],
  ['an end that is none', ['watch', '--until', 'never'], 2, /Allowed choices are done, failed, lost, decision/, /watch --help/],
  ['a time that is none', ['gate', '--timeout', 'soon'], 2, /--timeout must be a time/, /such as 500ms/],
  ['a count that is none', ['ping', '-c', '0'], 2, /must be a number above 0/, /ping --help/],
  ['nothing to choose from', ['decide', 'Go?'], 2, /nothing to choose from/, /--option yes/],
  [
    'a default that is no option',
    ['decide', 'Go?', '--option', 'a', '--default', 'b'],
    2,
    /--default b is not one of the options \(a\)/,
    /option/,
  ],
  ['no such token file', ['stats', '--token-file', 'none'], 2, /token file .*none cannot be read: no such file/, /--token-file FILE/],
  ['the server away, publishing', ['emit', 'a:b', '-s', 'a', '--url', nowhere], 6, /cannot reach/, /shannon-dash serve/],
  ['a host that is not there', ['stats', '--url', 'http://nowhere.invalid'], 6, /cannot reach .*\(no such host\)/, /shannon-dash serve/],
];

/** Where it matters how the program ends, with a wrong word and with what it has opened. */
const realStarts: Case[] = [
  ['no such command', ['sned', 'HALT'], 2, /^error: unknown command "sned"\. Did you mean send\?$/m, /--help/],
  [
    'the server away',
    ['ping', '--url', nowhere],
    6,
    /^error: cannot reach http:\/\/127\.13\.0\.1:1 \(connection refused\)$/m,
    /start a server: {2}shannon-dash serve/,
  ],
  [
    'the server away, watching',
    ['watch', '--url', 'http://nowhere.invalid'],
    6,
    /cannot reach .*\(no such host\)/,
    /--url URL {3}\(SHANNON_DASH_URL\)/,
  ],
  [
    'an address of another machine',
    ['serve', '--host', '192.0.2.1', '--port', '0', '--journal', 'memory'],
    2,
    /192\.0\.2\.1 is not an address of this machine/,
    /--host 127/,
  ],
];

describe('bad input gets a sentence with the next step, the right exit code, and no stack trace', () => {
  test.each(calls)('%s', async (...each) => {
    expectSentence(await callProgram(each[1], newPlace()), each);
  });

  test.each(realStarts)('%s', async (...each) => {
    expectSentence(await runProgram(each[1], newPlace()), each);
  });

  test('against a server', async () => {
    const place = await newServerPlace();
    const cases: Case[] = [
      ['no session', ['send', 'HALT'], 7, /^error: no session is live$/m, /shannon-dash run -- COMMAND/],
      ['an unknown session', ['send', 'HALT', '-s', 'nobody'], 7, /session not found: nobody/, /shannon-dash sessions/],
      ['a type that is none', ['emit', 'Bad', '-s', 'a'], 2, /^error: type: must be group:name in lower case/m, /correct the named field/],
      ['a missing field', ['emit', 'skill:started', '-s', 'a'], 2, /^error: data\.skill_name: must be a text/m, /correct the named field/],
      ["the server's own type", ['emit', 'command:applied', '-s', 'a'], 2, /written by the server only/, /correct/],
      [
        'HTTPS where there is none',
        ['sessions', '--url', place.url.replace('http:', 'https:')],
        6,
        /\(it does not speak HTTPS/,
        /try http:/,
      ],
      ['an unknown session, at a gate', ['gate', '-s', 'nobody'], 7, /session not found: nobody/, /shannon-dash sessions/],
      ['an unknown session, its commands', ['commands', '-s', 'nobody'], 7, /session not found: nobody/, /shannon-dash sessions/],
    ];
    for (const each of cases) {
      expectSentence(await place.call(...each[1]), each);
    }
    for (const session of ['run-1', 'run-2', 'run-3']) await place.publish(session, 'execution:started');
    const several = await place.call('send', 'HALT');
    expectSentence(several, ['', [], 2, /^error: 3 sessions are live; name one: run-1, run-2, run-3$/m, /-s SESSION/]);
    const slow = await place.run('ping', '-c', '1', '-q', '--max-p99', '0.000001', '--json');
    expectSentence({ ...slow, stdout: '' }, ['', [], 1, /p99 is/, /shannon-dash stats/]);
  });
});

describe('with --json an error is a document on stderr', () => {
  test.each([
    ['a wrong argument', ['send', 'HLAT', '--json'], 'INVALID', false],
    ['a flag before the command', ['--json', 'sned'], 'INVALID', false],
    ['the server away', ['ping', '--json', '--url', nowhere], 'UNREACHABLE', true],
  ] as const)('%s', async (_, args, code, retryable) => {
    const { stdout, stderr } = await runProgram(args, newPlace());
    expect(stdout).toBe('');
    const document = JSON.parse(stderr) as { error: Record<string, unknown> };
    expect(document).toMatchObject({ v: 1, ok: false, error: { code, retryable } });
    expect(document.error['message']).toEqual(expect.any(String));
    expect(document.error['hint']).toEqual(expect.any(String));
  });
});

describe('where the journal cannot be opened', () => {
  const files: [string, (place: Place) => string, RegExp][] = [
    [
      'a text',
      ({ folder }) => written(join(folder, 'text'), 'this is not a database, and it is long enough to be read as one'),
      /not a SQLite file/,
    ],
    ['a database of another program', ({ folder }) => database(join(folder, 'other.db')), /SQLite file of another program/],
    ['a folder', ({ folder }) => madeFolder(join(folder, 'dir')), /cannot open the journal .*dir: /],
    ['below a file', ({ folder }) => join(written(join(folder, 'file'), 'x'), 'journal.db'), /cannot open the journal/],
  ];
  test.each(files)('%s', async (_, make, says) => {
    const place = newPlace();
    const path = make(place);
    const end = await runProgram(['serve', '--port', '0', '--journal', path], place);
    expectSentence(end, ['', [], 1, says, /--journal memory/]);
    expect(end.stderr).toContain(path);
  });

  test('another server has it', async () => {
    const first = await serve();
    const second = await first.run('serve', '--port', '0');
    expectSentence(second, ['', [], 1, /another server has it open/, /shannon-dash stats/]);
    expect((await http('GET', `${first.url}/api/sessions`)).status).toBe(200);
  });
});

test('a port in use names by what, and offers another', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  const end = await runProgram(['serve', '--port', String(port), '--journal', 'memory'], newPlace());
  expectSentence(end, ['', [], 1, new RegExp(`port ${port} is in use`), /--port 0/]);
  if (hasTool('ss') || hasTool('lsof')) expect(end.stderr).toContain(`(pid ${process.pid})`);
});

test.runIf(existsSync('/dev/full'))('an output that cannot be written is an error, unless its reader has enough', async () => {
  const place = await newServerPlace();
  await place.publish('a', 'execution:started');
  const says = /the output cannot be written: no space left on device/;
  const commands = ['sessions', 'ping -c 1', 'send HALT -s a', 'watch a --plain --since 0', '--help'];
  for (const command of commands) {
    const end = await inShell(`"$node" "$bin" ${command} > /dev/full`, place);
    expect(end, command).toMatchObject({ code: 1, stderr: expect.stringMatching(says) as string });
  }
  expect(await inShell('"$node" "$bin" sned > /dev/full', place)).toMatchObject({
    code: 2,
    stderr: expect.not.stringMatching(says) as string,
  });
  const run = await inShell('"$node" "$bin" run --no-files -- sh -c "echo hi" > /dev/full', place);
  expect(run).toMatchObject({ code: 1, stderr: expect.stringMatching(says) as string });
  const enough = 'set -o pipefail; "$node" "$bin" ping -i 0.01 | head -1';
  expect(await inShell(enough, place)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^seq=1 /) as string });
});

test('configuration that is wrong is named by its file and field', async () => {
  const place = newPlace();
  const path = written(join(place.folder, '.shannon-dash.json'), '{"port": "many"}');
  const wrong = await runProgram(['stats'], place);
  expectSentence(wrong, ['', [], 2, /\.shannon-dash\.json: "port" must be a port/, /port/]);
  expect(wrong.stderr).toContain(path);
  written(path, '{"prot": 1}');
  expectSentence(await callProgram(['stats'], place), ['', [], 2, /"prot" is not a setting/, /known: url, session/]);
  written(path, '{');
  expectSentence(await callProgram(['stats'], place), ['', [], 2, /is not JSON/, /correct it/]);
});

test('an address where something else answers is no server of ours', async () => {
  const other = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')).listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as { port: number };
  const end = await runProgram(['sessions', '--url', `127.0.0.1:${port}`], newPlace());
  expectSentence(end, ['', [], 1, /answers, but not as shannon-dash does/, /./]);
});

/** A line of bash in which $node and $bin are this program. */
function inShell(script: string, { folder, env }: Place): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { cwd: folder, env: { ...env, node: nodePath, bin } };
    const child = execFile('bash', ['-c', script], options, (_, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }));
  });
}

function written(path: string, text: string): string {
  writeFileSync(path, text);
  return path;
}

function madeFolder(path: string): string {
  mkdirSync(path);
  return path;
}

function database(path: string): string {
  const made = new DatabaseSync(path);
  made.exec('CREATE TABLE t (x)');
  made.close();
  return path;
}

function hasTool(name: string): boolean {
  try {
    execFileSync(name, ['-v'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}
