import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { commands } from '../../../src/cli/commands.ts';
import { answerTo } from '../../../src/cli/completion/complete.ts';
import { globalDefinitions } from '../../../src/cli/global-options.ts';
import { http, startServer, type Json } from '../../helpers/start-server.ts';
import { callProgram, inPlace } from '../called-program.ts';
import { newPlace, runProgram, type Place } from '../started-program.ts';

/** What answers a shell in a place, in this process. */
const answerIn = (place: Place, ...args: string[]) => inPlace(place, () => answerTo(args));

/** What `complete` prints, started as a shell starts it; nothing else may come of it. */
async function printedIn(place: Place, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(['complete', ...args], place);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** The values that are offered, each with its description. */
async function completed(place: Place, ...words: string[]): Promise<{ value: string; description: string }[]> {
  const text = await answerIn(place, '--', ...words);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [value = '', description = ''] = line.split('\t');
      return { value, description };
    });
}

const valuesOf = async (place: Place, ...words: string[]) => (await completed(place, ...words)).map(({ value }) => value);

const longOf = (flags: string) => /--[\w-]+/.exec(flags)?.[0] ?? flags;

/** A server with events in its sessions, and a place whose variables lead to it. */
async function placeWith(sessions: Record<string, [type: string, data: Json][]>, options: Parameters<typeof startServer>[0] = {}) {
  const server = await startServer(options);
  for (const [session, events] of Object.entries(sessions)) {
    const body = events.map(([type, data]) => ({ type, data }));
    expect((await http('POST', `${server.url}/api/sessions/${session}/events`, body)).status).toBe(200);
  }
  // A busy machine may take longer than a person would wait.
  return { server, place: newPlace({ SHANNON_DASH_URL: server.url, SHANNON_DASH_COMPLETION_TIMEOUT: '30s' }) };
}

const decision = (decision_id: string, options: unknown[], question = 'which?'): [string, Json] => [
  'decision:point',
  { decision_id, question, options },
];

describe('from the definitions', () => {
  test('the first word is a command, with its summary', async () => {
    expect(await printedIn(newPlace(), '--', 'sen')).toBe(
      `send\t${commands.find(({ definition }) => definition.name === 'send')?.definition.summary}\n`,
    );
    const expected = commands.map(({ definition: { name, summary } }) => ({ value: name, description: summary }));
    expect(await completed(newPlace(), '')).toEqual(expected);
    expect(await valuesOf(newPlace(), '--url', 'http://x', 'se')).toEqual(['send', 'serve', 'sessions', 'service']);
    expect(await valuesOf(newPlace(), 'nonsense', '')).toEqual([]);
  });

  test.each(commands)('$definition.name: every option that the help shows, and no other', async ({ definition }) => {
    const shown = [...definition.options.filter(({ isHidden }) => isHidden !== true), ...globalDefinitions].map(({ flags }) =>
      longOf(flags),
    );
    expect((await valuesOf(newPlace(), definition.name, '--')).toSorted()).toEqual([...new Set([...shown, '--help'])].toSorted());
  });

  const withChoices = commands.flatMap(({ definition: { name, options, arguments: args = [] } }) => [
    ...options.flatMap(({ flags, choices }) => (choices === undefined ? [] : [{ words: [name, longOf(flags)], choices }])),
    ...args.slice(0, 1).flatMap(({ choices }) => (choices === undefined ? [] : [{ words: [name], choices }])),
  ]);

  test.each(withChoices)('$words: $choices', async ({ words, choices }) => {
    expect(await valuesOf(newPlace(), ...words, '')).toEqual([...choices]);
  });

  test('a flag that was given is not offered again, unless it can be repeated', async () => {
    const place = newPlace();
    expect(await valuesOf(place, 'watch', '--pl')).toEqual(['--plain']);
    expect(await valuesOf(place, 'watch', '--plain', '--pl')).toEqual([]);
    expect(await valuesOf(place, 'send', 'HALT', '-s', 'x', '--se')).toEqual([]);
    expect(await valuesOf(place, 'send', 'HALT', '--session=x', '--se')).toEqual([]);
    expect(await valuesOf(place, 'stats', '-qv', '--q')).toEqual([]);
    expect(await valuesOf(place, 'stats', '-qv', '--v')).toEqual([]);
    expect(await valuesOf(place, 'watch', '--filter', 'a:*', '--fil')).toEqual(['--filter']);
    expect(await valuesOf(place, 'serve', '--no-dev-origins', '--no-dev')).toEqual([]);
  });

  test('nor is one in conflict with one that was given, or that does not go with the command', async () => {
    const place = newPlace();
    expect(await valuesOf(place, 'checkpoint', '--list', '--')).not.toEqual(expect.arrayContaining(['--prune']));
    expect(await valuesOf(place, 'checkpoint', '--list', '--')).toContain('--session');
    expect(await valuesOf(place, 'checkpoint', '--label', 'x', '--li')).toEqual([]);
    const halt = await valuesOf(place, 'send', 'halt', '--');
    expect(halt).toContain('--reason');
    for (const flag of ['--steps', '--checkpoint', '--decision', '--choice', '--skill', '--yes']) expect(halt).not.toContain(flag);
    expect(await valuesOf(place, 'send', '--d')).toEqual(['--decision', '--dry-run']);
  });

  test('a value is not taken for an option, and nothing behind -- is', async () => {
    const place = newPlace();
    expect(await valuesOf(place, 'send', 'HALT', '--reason', '--session', '--se')).toEqual(['--session']);
    expect(await valuesOf(place, 'watch', '--', '--pl')).toEqual([]);
    expect(await valuesOf(place, 'send', 'HALT', '--reason', '')).toEqual([]);
    expect(await valuesOf(place, 'watch', '--until=d')).toEqual(['--until=done', '--until=decision']);
    expect(await valuesOf(place, 'send', 'HALT', '--wait', 'AP')).toEqual(['applied']);
    expect(await valuesOf(place, 'stats', '-w', '-')).not.toContain('--watch');
    expect(await valuesOf(place, 'stats', '-q', '-v', '-h')).toEqual(['-h']);
  });

  test('types of commands and events; those that only the server writes can be watched, not sent', async () => {
    const place = newPlace();
    expect(await valuesOf(place, 'send', 'r')).toEqual(['RESUME', 'ROLLBACK', 'REDIRECT']);
    expect(await valuesOf(place, 'emit', 'decision:')).toEqual(['decision:point', 'decision:made']);
    expect(await valuesOf(place, 'emit', 'command:')).toEqual([]);
    expect(await valuesOf(place, 'watch', '-f', 'checkpoint:')).toEqual([
      'checkpoint:*',
      'checkpoint:created',
      'checkpoint:saved',
      'checkpoint:failed',
    ]);
    expect(await valuesOf(place, 'watch', '--filter', 'command:a')).toEqual(['command:applied']);
  });

  test('files, folders and other programs are the shell’s own', async () => {
    const rest = (...words: string[]) => answerIn(newPlace(), '--', ...words);
    expect(await rest('stats', '--token-file', '')).toBe('\tfiles\n');
    expect(await rest('serve', '--journal', '')).toBe('memory\n\tfiles\n');
    expect(await rest('serve', '--skills', 'x')).toBe('\tfolders\n');
    expect(await rest('run', 'np')).toBe('\tprogram 2\n');
    expect(await rest('run', '-s', 'x', '--', 'npm', '--pre')).toBe('\tprogram 5\n');
    expect(await rest('run', '--checkpoints', '')).toBe('git\nnone\n');
  });

  test('words that are encoded, as PowerShell sends them', async () => {
    const encoded = Buffer.from(['send', 'HALT', '--wait', ''].join('\0')).toString('base64');
    expect(await printedIn(newPlace(), '--encoded', encoded)).toBe('applied\ndelivered\nqueued\n');
  });

  test('a form that there is not has no answer; without words there are the commands; nothing is an error', async () => {
    expect(await answerIn(newPlace(), 'nonsense')).toBe('');
    const all = await answerIn(newPlace(), '--', '');
    for (const form of ['--', '--encoded']) expect(await answerIn(newPlace(), form)).toBe(all);
    expect((await answerIn(newPlace(), '--bash')).split('\n')).toEqual(all.split('\n').map((line) => line.split('\t')[0]));
    expect(await printedIn(newPlace())).toBe('');
  });
});

describe('from the server', () => {
  test('sessions with status and task, the live ones and those that changed last first', async () => {
    const { place } = await placeWith({
      old: [
        ['execution:started', { task: 'over' }],
        ['execution:completed', {}],
      ],
      one: [['execution:started', { task: 'nightly build' }]],
      'two:2': [['skill:started', { skill_name: 'lint' }]],
    });
    expect(await completed(place, 'watch', '')).toEqual([
      { value: 'two:2', description: 'running, lint' },
      { value: 'one', description: 'running, nightly build' },
      { value: 'old', description: 'completed, over' },
    ]);
    expect(await valuesOf(place, 'send', 'HALT', '--session=t')).toEqual(['--session=two:2']);
    expect(await valuesOf(place, 'commands', '-s', 'o')).toEqual(['one', 'old']);
  });

  test('open decisions, and the options of the one that is named', async () => {
    const { place, server } = await placeWith({
      s: [
        decision('first one', ['yes', { id: 'n', label: 'no', recommended: true, description: 'better not' }], 'Deploy?'),
        decision('d-2', ['a', 'b']),
        decision('answered', ['x']),
      ],
    });
    await http('POST', `${server.url}/api/sessions/s/commands`, { type: 'DECISION', decision_id: 'answered', choice: 'x' });
    expect(await completed(place, 'send', 'DECISION', '--decision', '')).toEqual([
      { value: 'first one', description: 'Deploy?' },
      { value: 'd-2', description: 'which?' },
    ]);
    expect(await completed(place, 'send', 'DECISION', '--decision', 'first one', '--choice', '')).toEqual([
      { value: 'yes', description: '' },
      { value: 'n', description: 'no, recommended, better not' },
    ]);
    expect(await valuesOf(place, 'send', 'DECISION', '--choice', '')).toEqual([]);
    await http('POST', `${server.url}/api/sessions/s/commands`, { type: 'DECISION', decision_id: 'first one', choice: 'yes' });
    expect(await valuesOf(place, 'send', 'DECISION', '--choice', '')).toEqual(['a', 'b']);
  });

  test('checkpoints, skills and ids of commands of the session that is meant', async () => {
    const skills = join(newPlace().folder, 'skills');
    mkdirSync(skills);
    writeFileSync(join(skills, 'lint.json'), JSON.stringify({ name: 'lint', description: 'looks for faults' }));
    const { place, server } = await placeWith(
      {
        a: [
          ['checkpoint:created', { checkpoint_id: 'c-1', label: 'before' }],
          ['skill:started', { skill_name: 'own' }],
        ],
        b: [['checkpoint:created', { checkpoint_id: 'c-2' }]],
      },
      { skillFolders: [skills] },
    );
    const { body } = await http('POST', `${server.url}/api/sessions/a/commands`, { type: 'HALT' });
    expect(await valuesOf(place, 'send', 'ROLLBACK', '--checkpoint', '')).toEqual([]);
    expect(await completed(place, 'send', 'ROLLBACK', '-s', 'a', '--checkpoint', '')).toEqual([
      { value: 'c-1', description: expect.stringMatching(/^before, \d{4}-/) as string },
    ]);
    expect(await valuesOf({ ...place, env: { ...place.env, SHANNON_DASH_SESSION: 'b' } }, 'send', 'ROLLBACK', '--checkpoint', '')).toEqual([
      'c-2',
    ]);
    expect(await completed(place, 'send', 'INJECT', '-sa', '--skill', '')).toEqual(
      // The user's own skills may be among them.
      expect.arrayContaining([
        { value: 'lint', description: 'looks for faults' },
        { value: 'own', description: 'running' },
      ]),
    );
    expect(await valuesOf(place, 'send', 'INJECT', '-s', 'unknown', '--skill', 'lin')).toEqual(['lint']);
    expect(await completed(place, 'send', 'HALT', '-s', 'a', '--id', '')).toEqual([
      { value: body['command_id'], description: 'HALT, applied' },
    ]);
  });

  test('names of strangers: what cannot be inserted as it is is left out, descriptions are one clean line', async () => {
    const good = ['$(touch x)', '`touch x`', 'it\'s; "q" & |', 'a b\\', '*?[x]', '~', '漢字'];
    const bad = ['a\nb', 'a\tb', '\u001b[31mred', 'x\u202ey', '--all', '-q', 'x'.repeat(201)];
    const { place } = await placeWith({
      s: [decision('d', [...bad, ...good.map((id) => ({ id, label: `${id}\n\u001b]0;title\u0007two` }))], `Really?\r\n${'x'.repeat(500)}`)],
    });
    expect(await completed(place, 'send', 'DECISION', '--decision', 'd', '--choice', '')).toEqual(
      good.map((value) => ({ value, description: `${value} two` })),
    );
    const [{ description } = { description: '' }] = await completed(place, 'send', 'DECISION', '--decision', '');
    expect(description).toMatch(/^Really\? x+…$/);
    expect(description.length).toBeLessThanOrEqual(80);
  });

  test('at most a hundred, of those that begin with what is typed', async () => {
    const names = Array.from({ length: 150 }, (_, at) => `s-${at}`);
    const { place } = await placeWith(Object.fromEntries(names.map((name) => [name, [['execution:started', {}] as [string, Json]]])));
    expect(await valuesOf(place, 'watch', '')).toHaveLength(100);
    expect((await valuesOf(place, 'watch', 's-1')).toSorted()).toEqual(names.filter((name) => name.startsWith('s-1')).toSorted());
  });

  test('asks where the command would go: --url, the token, settings that are trusted; no file of a stranger leads elsewhere', async () => {
    const asked: string[] = [];
    const elsewhere = await listening((request) => {
      asked.push(request);
      return `HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${JSON.stringify({ sessions: [{ session_id: 'elsewhere', status: 'running' }] })}`;
    });
    const { place } = await placeWith({ here: [['execution:started', {}]] });
    const { SHANNON_DASH_URL: url, ...env } = place.env;
    const port = Number(new URL(elsewhere).port);
    expect(await valuesOf(place, 'watch', '--url', elsewhere, '')).toEqual(['elsewhere']);
    writeFileSync(join(place.folder, 'token'), 'secret\n');
    await valuesOf(place, 'watch', `--url=${elsewhere}`, '--token-file', join(place.folder, 'token'), '');
    expect(asked.at(-1)).toMatch(/^authorization: Bearer secret\r$/im);
    expect(asked.splice(0)).toHaveLength(2);

    const file = join(place.folder, '.shannon-dash.json');
    for (const settings of [{ url: elsewhere }, { port }, { url: elsewhere, port, token_file: 'token' }]) {
      writeFileSync(file, JSON.stringify(settings));
      await valuesOf({ ...place, env: { ...env, SHANNON_DASH_TOKEN: 'secret' } }, 'watch', '');
      expect(asked).toEqual([]);
    }
    writeFileSync(file, JSON.stringify({ url: elsewhere }));
    expect((await callProgram(['trust'], { ...place, env })).code).toBe(0);
    expect(await valuesOf({ ...place, env }, 'watch', '')).toEqual(['elsewhere']);
    expect(await valuesOf({ ...place, env: { ...env, SHANNON_DASH_URL: url } }, 'watch', '')).toEqual(['here']);
  });

  test('what answers otherwise, or not at all, gives nothing', async () => {
    const answers = [
      '',
      'nonsense\r\n\r\n',
      'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n[1]',
      'HTTP/1.1 200 OK\r\n\r\n{"sessions": [null, {"session_id": 7}, "x"]}',
    ];
    for (const answer of [...answers, 'HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n{"sessions": [{"session_id": "x"}]}']) {
      const place = newPlace({ SHANNON_DASH_URL: await listening(() => answer) });
      expect(await completed(place, 'watch', '')).toEqual([]);
      expect(await completed(place, 'send', 'DECISION', '--decision', '')).toEqual([]);
    }
    expect(await printedIn(newPlace({ SHANNON_DASH_URL: await listening(() => 'nonsense\r\n\r\n') }), '--', 'watch', '')).toBe('');
    // It takes the connection and says nothing: the completion ends by itself.
    expect(await printedIn(newPlace({ SHANNON_DASH_URL: await listening(() => undefined) }), '--', 'watch', '')).toBe('');
    expect(await completed(newPlace({ SHANNON_DASH_URL: 'ftp://x' }), 'watch', '')).toEqual([]);
    const broken = newPlace();
    writeFileSync(join(broken.folder, '.shannon-dash.json'), '{');
    expect(await completed(broken, 'watch', '')).toEqual([]);
    expect(await completed(broken, 'watch', '--plain', '--at')).toEqual([
      { value: '--at', description: 'as it was up to this event (its seq in --json)' },
    ]);
  });
});

describe('from the local journal, where no server answers', () => {
  /** A journal that a server has left. */
  async function leftJournal() {
    const { server, place } = await placeWith({
      one: [
        ['execution:started', { task: 'nightly build' }],
        decision('d-1', ['yes', 'no']),
        ['checkpoint:created', { checkpoint_id: 'c' }],
      ],
      two: [
        ['execution:started', {}],
        ['execution:completed', {}],
      ],
    });
    await server.close();
    return { folder: server.folder, path: join(server.folder, 'journal.sqlite'), place };
  }

  test('what it has, and nothing about it changes', async () => {
    const { folder, path, place } = await leftJournal();
    const env = { ...place.env, SHANNON_DASH_JOURNAL: path };
    const before = { files: readdirSync(folder), bytes: readFileSync(path), changed: statSync(path).mtimeMs };
    expect(await printedIn({ ...place, env }, '--', 'watch', '')).toBe('one\trunning, nightly build\ntwo\tcompleted\n');
    expect(await valuesOf({ ...place, env }, 'send', 'DECISION', '-s', 'one', '--decision', '')).toEqual(['d-1']);
    expect(await valuesOf({ ...place, env }, 'send', 'DECISION', '--decision', 'd-1', '--choice', '')).toEqual(['yes', 'no']);
    expect(await valuesOf({ ...place, env }, 'send', 'ROLLBACK', '-s', 'one', '--checkpoint', '')).toEqual(['c']);
    expect(await valuesOf({ ...place, env }, 'send', 'ROLLBACK', '-s', 'none', '--checkpoint', '')).toEqual([]);
    expect({ files: readdirSync(folder), bytes: readFileSync(path), changed: statSync(path).mtimeMs }).toEqual(before);
  });

  test('one that another server has open is looked at without a lock or a file beside it', async () => {
    const { server, place } = await placeWith({ s: [['execution:started', {}]] });
    const env = { ...place.env, SHANNON_DASH_URL: 'http://127.0.0.1:1', SHANNON_DASH_JOURNAL: join(server.folder, 'journal.sqlite') };
    const before = readdirSync(server.folder);
    await printedIn({ ...place, env }, '--', 'watch', '');
    expect(readdirSync(server.folder)).toEqual(before);
    expect((await http('POST', `${server.url}/api/sessions/s/events`, { type: 'a:b', data: {} })).status).toBe(200);
  });

  test('none is made, and what is no journal of ours is not read', async () => {
    const place = newPlace({ SHANNON_DASH_URL: 'http://127.0.0.1:1' });
    const withJournal = (path: string) => ({ ...place, env: { ...place.env, SHANNON_DASH_JOURNAL: path } });
    expect(await completed(place, 'watch', '')).toEqual([]);
    expect(existsSync(join(place.folder, 'state'))).toBe(false);
    const pipe = join(place.folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    writeFileSync(join(place.folder, 'text'), 'SQLite format 3');
    for (const path of [join(place.folder, 'text'), place.folder, join(place.folder, 'none'), 'memory', 'postgres://x/y']) {
      expect(await completed(withJournal(path), 'watch', '')).toEqual([]);
    }
    // Who reads these may never come back.
    for (const path of [pipe, '/dev/zero']) expect(await printedIn(withJournal(path), '--', 'watch', '')).toBe('');
    expect(existsSync(join(place.folder, 'none'))).toBe(false);
  });

  test('it does not stand for a server on another machine', async () => {
    const { path, place } = await leftJournal();
    const env = { ...place.env, SHANNON_DASH_JOURNAL: path, SHANNON_DASH_URL: 'http://host.invalid:1' };
    expect(await completed({ ...place, env }, 'watch', '')).toEqual([]);
  });
});

test('what answers a shell loads no schema library, no parser of commands, no Socket.IO', async () => {
  const tracer = `
    import { registerHooks } from 'node:module';
    import { writeFileSync } from 'node:fs';
    const loaded = [];
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
    process.on('exit', () => writeFileSync(process.env.LOADED, JSON.stringify(loaded)));
  `;
  const { place } = await placeWith({ s: [['execution:started', {}]] });
  const list = join(place.folder, 'loaded');
  const env = { ...place.env, LOADED: list, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tracer)}` };
  expect(await printedIn({ ...place, env }, '--', 'watch', '')).toBe('s\trunning\n');
  const files = (JSON.parse(readFileSync(list, 'utf8')) as string[]).filter((url) => url.includes('/dist/program/'));
  const text = files.map((url) => readFileSync(new URL(url), 'utf8')).join('');
  const packages = [...text.matchAll(/^\/\/.*\bnode_modules\/((?:@[^/]+\/)?[^/]+)\//gm)].map(([, name]) => name);
  expect([...new Set(packages)]).toEqual(['env-paths']);
});

/** Listens, and answers every connection with a text once something came; undefined: never. @returns its URL */
async function listening(answer: (request: string) => string | undefined): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (bytes) => {
      const text = answer(String(bytes));
      if (text !== undefined) socket.end(text);
    });
    onTestFinished(() => void socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
