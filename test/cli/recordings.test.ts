import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { callProgram } from './called-program.ts';
import { newServerPlace } from './server-place.ts';
import { newPlace } from './started-program.ts';

const recordings = fileURLToPath(new URL('../recordings', import.meta.url));
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
const own = readFileSync(join(recordings, '4.0.0/sessions.ndjson'), 'utf8');

const events = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ type: 'custom:thing', data: { at, text: `ü 日本 \u009b31m \u202e ${at}`, 2: 'b', 1: 'a' } }));

async function publish(url: string, session: string, count: number): Promise<void> {
  const body = JSON.stringify(events(count));
  const answer = await fetch(`${url}/api/sessions/${session}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  expect(answer.status).toBe(200);
}

test('export writes a header and the events byte for byte as the wire carries them, over many pages', async () => {
  const place = await newServerPlace();
  const origin = { session_id: 'build', skills: ['lint'], metadata: { team: 'x' } };
  await fetch(`${place.url}/api/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(origin),
  });
  for (let at = 0; at < 25; at++) await publish(place.url, 'build', 1_000);
  const { stdout, stderr, code } = await place.run('export', 'bui');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [header = '', ...lines] = stdout.split('\n');
  const { epoch } = (await fetch(`${place.url}/api/sessions/build`).then((answer) => answer.json())) as { epoch: string };
  expect(JSON.parse(header)).toEqual({
    recording: 1,
    session_id: 'build',
    epoch,
    seq: 25_000,
    origin: { created_at: expect.any(String), skills: ['lint'], metadata: { team: 'x' } },
    versions: { shannon_dash: version },
  });
  const pages = [0, 10_000, 20_000].map(async (after) => {
    const url = `${place.url}/api/sessions/build/events?after=${after}&limit=10000`;
    return (await fetch(url, { headers: { accept: 'application/x-ndjson' } })).text();
  });
  expect(lines.join('\n') === (await Promise.all(pages)).join('')).toBe(true);
  // The page gives the same file.
  const answer = await fetch(`${place.url}/api/sessions/build/recording`);
  expect(answer.headers.get('content-disposition')).toBe('attachment; filename="build.ndjson"');
  expect((await answer.text()) === stdout).toBe(true);
  expect((await fetch(`${place.url}/api/sessions/nosuch/recording`)).status).toBe(404);
});

test('export --all writes every session, and watch shows the file without a server', async () => {
  const place = await newServerPlace();
  await publish(place.url, 'one', 2);
  await publish(place.url, 'two', 3);
  const file = join(place.folder, 'all.ndjson');
  writeFileSync(file, (await place.run('export', '--all')).stdout);
  await place.server.close();
  const { stdout, stderr, code } = await place.run('watch', file, '--json', '--since', '1', '--at', '2');
  expect(code).toBe(0);
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object),
  ).toMatchObject([
    { session_id: 'one', seq: 2, data: events(2)[1]?.data },
    { session_id: 'two', seq: 2 },
  ]);
  expect(stderr).toBe(`one: 2 events, recorded by shannon-dash ${version}\ntwo: 3 events, recorded by shannon-dash ${version}\n`);
  const plain = await place.call('watch', file);
  expect(plain.stdout).not.toMatch(/[\u0080-\u009f\u202e]/);
  expect(plain.stdout).toContain('custom:thing');
});

test('what there is not, and what does not go together, is told', async () => {
  const place = await newServerPlace();
  expect(await place.call('export', 'none')).toMatchObject({ code: 7, stdout: '', stderr: expect.stringContaining('session not found') });
  expect(await place.call('export', '--all', 'x')).toMatchObject({ code: 2, stdout: '' });
  expect(await place.call('watch', './none.ndjson')).toMatchObject({ code: 7, stderr: expect.stringContaining('no such file') });
  expect(await place.call('watch', './none.ndjson', '--until', 'done')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--until'),
  });
});

describe('a recording of another version is read', () => {
  test('this version has one', () => {
    expect(readdirSync(recordings)).toContain(version);
  });

  test.each(readdirSync(recordings, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ndjson')))(
    '%s',
    async (name) => {
      const file = join(recordings, name);
      const given = readFileSync(file, 'utf8').trim().split('\n');
      const { stdout, stderr, code } = await callProgram(['watch', file, '--json'], newPlace());
      const parsed = given.map((line) => JSON.parse(line) as Record<string, unknown>);
      const shown = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object);
      expect(shown).toEqual(parsed.filter((line) => line['recording'] === undefined).map((line) => ({ v: 1, ...line })));
      expect(stderr.trim().split('\n')).toHaveLength(parsed.length - shown.length);
      expect(code).toBe(0);
      const place = await newServerPlace();
      expect(await place.call('import', file)).toMatchObject({ code: 0 });
      for (const { session_id, seq } of parsed.filter((line) => line['recording'] !== undefined)) {
        const headers = { accept: 'application/x-ndjson' };
        const history = await (await fetch(`${place.url}/api/sessions/${String(session_id)}/events`, { headers })).text();
        const own = given.filter((line) => line.includes(`{"session_id":"${String(session_id)}"`));
        expect([own.length, history.trim()]).toEqual([seq, own.join('\n')]);
      }
    },
  );
});

test('export, import, export gives the same bytes, also where the first was live; what is imported takes nothing', async () => {
  const place = await newServerPlace();
  for (const session of ['one', 'two']) for (let at = 0; at < 3; at++) await publish(place.url, session, 1_000);
  const exported = await place.run('export', '--all');
  const file = join(place.folder, 'all.ndjson');
  writeFileSync(file, exported.stdout);
  expect(await place.run('import', file)).toMatchObject({
    code: 7,
    stderr: expect.stringMatching(/one exists already\n.*--as NAME\n.*--skip-existing/),
  });
  expect((await place.call('sessions', 'rm', 'one', '--yes')).code).not.toBe(0);
  for (const session of ['one', 'two']) await fetch(`${place.url}/api/sessions/${session}`, { method: 'DELETE' });
  expect(await place.call('import', file)).toMatchObject({
    code: 0,
    stdout: 'imported one: 3,000 events\nimported two: 3,000 events\n',
    stderr: '',
  });
  expect((await place.call('export', '--all')).stdout === exported.stdout).toBe(true);
  const state = (await (await fetch(`${place.url}/api/sessions/one`)).json()) as object;
  expect(state).toMatchObject({ status: 'lost', seq: 3_000, imported: { seq: 3_000, by: expect.any(String) } });
  const refused = { code: 7, stderr: expect.stringContaining('one is imported') };
  expect(await place.call('send', 'HALT', '-s', 'one')).toMatchObject(refused);
  expect(await place.call('emit', 'x:y', '-s', 'one')).toMatchObject(refused);
  expect(await place.call('sessions', 'pin', 'one')).toMatchObject(refused);
  const only = join(place.folder, 'two.ndjson');
  writeFileSync(only, (await place.call('export', 'two')).stdout);
  expect(await place.call('import', only, '--as', 'two-again', '--json')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"session_id":"two-again"'),
  });
  expect(await place.call('import', file, '--skip-existing')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('two is there already'),
  });
  expect(await place.call('import', file, '--as', 'x')).toMatchObject({ code: 1, stderr: expect.stringContaining('several recordings') });
  expect(await place.call('import', only, '--as', '../x')).toMatchObject({ code: 2 });
  expect(await place.call('sessions', 'pin', './all.ndjson')).toMatchObject({ code: 2, stderr: expect.stringContaining('is a file') });
  const listed = (await (await fetch(`${place.url}/api/sessions`)).json()) as { sessions: { session_id: string }[] };
  expect(listed.sessions.map(({ session_id }) => session_id)).toEqual(['one', 'two', 'two-again']);
});

/** The lines of the recording of a session with events. */
const [header = '', first = '', second = '', ...rest] = own.slice(own.indexOf('{"recording":1,"session_id":"check"')).split('\n');

test.each<[string, string[], RegExp]>([
  ['nothing', [], /is empty/],
  ['no JSON', ['{"recording":'], /line 1: .*JSON/],
  ['something else', ['{"a":1}'], /line 1 must be the header of a recording/],
  ['no object', ['null'], /line 1 must be the header/],
  ['a newer format', ['{"recording":2}'], /line 1: a newer version has made this recording \(format 2\)/],
  ['a header without a session', ['{"recording":1}'], /line 1: session_id/],
  ['an end that comes early', [header, first], /ends early: it has 1 of the \d+ events of check/],
  ['a gap', [header, first, ...rest], /line 3: seq must be 2/],
  ['an event of another session', [header, first.replace('"check"', '"other"')], /line 2: session_id must be check/],
  ['an event that is none', [header, '{"session_id":"check","seq":1}'], /line 2: id: must be a text/],
  ['an event nested too deep', [header, `{"data":${'['.repeat(200_000)}${']'.repeat(200_000)}}`], /line 2: .*deep/],
  ['a line without an end', [header, `"${'x'.repeat(5_000_000)}`], /a line is longer than/],
  ['a first event twice', [header, first, second, first], /line 4: seq must be 3/],
])('%s is no recording, which is told by its line', async (_, lines, sentence) => {
  const place = newPlace();
  const file = join(place.folder, 'bad.ndjson');
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
  const { code, stderr, stdout } = await callProgram(['watch', file, '-q'], place);
  expect(stderr).toMatch(sentence);
  expect(code).toBe(1);
  expect(stdout === '').toBe(lines[1] !== first);
});

test('replay has a recording happen again as a session that says of what it is a replay, with the pace and the end that it had', async () => {
  const place = await newServerPlace();
  const file = join(recordings, '4.0.0/sessions.ndjson');
  const eventsOf = async (session: string) => {
    const headers = { accept: 'application/x-ndjson' };
    const lines = await (await fetch(`${place.url}/api/sessions/${session}/events`, { headers })).text();
    return lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; data: object; source?: string; timestamp: string });
  };
  const stateOf = async (session: string) => (await fetch(`${place.url}/api/sessions/${session}`)).json() as Promise<object>;
  const recorded = [first, second, ...rest]
    .filter((line) => line.startsWith('{"session_id":"check"'))
    .map((line) => JSON.parse(line) as { type: string; data: object });
  expect(await place.run('replay', file, 'check', '--speed', '60000', '--as', 'again')).toMatchObject({
    code: 0,
    stdout: `replayed check as again: ${recorded.length} of ${recorded.length} events\n`,
  });
  const isServers = (type: string) => /^(?:command|orchestrator|journal):|^execution:lost$|^run:marked$/.test(type);
  const played = (await eventsOf('again')).filter(({ source }) => source === 'replay of check');
  expect(played.map(({ type, data }) => ({ type, data }))).toEqual(
    recorded.map(({ type, data }) => ({ type: isServers(type) ? `replay:${type}` : type, data })),
  );
  expect(await stateOf('again')).toMatchObject({
    status: 'completed',
    metadata: { replay_of: { session_id: 'check', seq: recorded.length } },
  });
  // To the middle at once: what lies behind would take a minute.
  const slow = place.run('replay', 'again', '--from', '5', '--speed', '0.000001', '--as', 'slow');
  await vi.waitFor(
    async () => expect(await stateOf('slow')).toMatchObject({ status: 'running', orchestrator: { attached: true } }),
    10_000,
  );
  expect((await place.call('send', 'INJECT', '-s', 'slow', '--skill', 'x')).code).not.toBe(0);
  expect((await place.call('send', 'HALT', '-s', 'slow')).code).toBe(0);
  expect((await place.call('send', 'RESUME', '-s', 'slow')).code).toBe(0);
  expect((await place.call('send', 'STOP', '-s', 'slow')).code).toBe(0);
  expect(await slow).toMatchObject({ code: 0, stdout: expect.stringMatching(/^stopped again as slow: \d+ of \d+ events\n$/) });
  expect(await stateOf('slow')).toMatchObject({
    status: 'failed',
    error: expect.stringMatching(/the replay ended at event \d+ of \d+ of again/),
  });
  const analytics = (await (await fetch(`${place.url}/api/analytics?by=day`)).json()) as { total: object };
  expect(analytics.total).toMatchObject({ sessions: 0 });
  expect(await place.call('replay', file, 'none')).toMatchObject({ code: 7, stderr: expect.stringContaining('no recording of none') });
  expect(await place.call('replay', './none.ndjson')).toMatchObject({ code: 7 });
  expect(await place.call('replay', 'again', '--from', 'soon')).toMatchObject({ code: 2, stderr: expect.stringContaining('--from soon') });
});

test('import tells the line of a file that is wrong, and brings nothing half', async () => {
  const place = await newServerPlace();
  const importing = (lines: string[]) => {
    const file = join(place.folder, 'bad.ndjson');
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
    return place.call('import', file);
  };
  const changed = (change: object) => JSON.stringify({ ...(JSON.parse(second) as object), ...change });
  const { id } = JSON.parse(first) as { id: string };
  const bad: [string[], RegExp][] = [
    [[], /bad\.ndjson is empty/],
    [[header, first, second], /ends early: it has 2 of the \d+ events of check/],
    [[header, first, changed({ seq: 7 })], /line 3: seq must be 2/],
    [[header, first, changed({ type: 'x\u001b[31m' })], /line 3: type: must be group:name/],
    [[header, first, changed({ timestamp: 'yesterday' })], /line 3: timestamp: must be a time/],
    [[header, first, changed({ source: 'x'.repeat(5_000) })], /line 3: source: must be at most/],
    [[header, first, changed({ data: { text: 'x\ud83d' } })], /line 3: .*well-formed/],
    [[header.replace('"check"', '"../../etc"')], /line 1: session_id: must be/],
    [[header.replace(/"epoch":"[^"]*"/, '"epoch":"a b"')], /line 1: epoch: must be/],
    [[header, first, changed({ id }), ...rest], /event 2 of check\.id: an event before it has the same id/],
    [
      [header.replace('"check"', '"before"').replace(/"seq":\d+/, '"seq":0'), header, first],
      /ends early.*; before it 1 recording was imported/,
    ],
  ];
  for (const [lines, sentence] of bad) {
    const { code, stderr, stdout } = await importing(lines);
    expect([sentence, code, stdout, sentence.test(stderr) || stderr]).toEqual([sentence, 1, '', true]);
  }
  const { sessions } = (await (await fetch(`${place.url}/api/sessions`)).json()) as { sessions: object[] };
  expect(sessions).toMatchObject([{ session_id: 'before' }]);
});
