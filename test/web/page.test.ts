import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { attachOrchestrator, commandsOf, runEvents } from '../dashboard/scripted-run.ts';
import { createToken, type TokenRequest } from '../../src/server/access/tokens/token-changes.ts';
import { ChromiumPage, findChromium } from '../helpers/chromium.ts';
import { startCuttingProxy } from '../helpers/cutting-proxy.ts';
import { http, publish, startServer } from '../helpers/start-server.ts';
import { PageDriver } from './page-driver.ts';

const hostile = '<img src=x onerror="alert(1)"><script>alert(2)</script>\u202e\u0007 end';

let missing: string | undefined;
let page: PageDriver;
const ends: (() => Promise<void>)[] = [];

// One browser for all: it takes a second to start.
beforeAll(async () => {
  const found = await findChromium();
  if ('missing' in found) missing = found.missing;
  else page = new PageDriver(await ChromiumPage.open(found.path, [], (end) => ends.push(end)));
}, 310_000);
afterAll(async () => {
  for (const end of ends) await end();
});

test('through cuts of the network and a restart of the server each event is there once, and a command is refused aloud meanwhile', async (context) => {
  if (missing !== undefined) return context.skip(missing);
  const server = await startServer();
  const proxy = await startCuttingProxy(() => server.port);
  await publish(server, 'flaky', { type: 'execution:started', data: { task: 'Ticks' } });
  await page.open(`${proxy.url}/`);
  await page.reads('.overview', /1 working[\s\S]*flaky\s+Ticks/);
  await page.expectAccessible();
  await page.expectUsableOnPhone();
  expect(await page.browser.installProblems()).toEqual([]);
  await page.click('.session-row', 'flaky');
  await page.reads('.session-head', 'flaky');
  expect(await page.browser.evaluate('location.pathname')).toBe('/s/flaky');

  const touch = { type: 'file:modified', data: { path: 'a.ts' } };
  const cuts = 50;
  for (let cut = 0; cut < cuts; cut++) {
    await page.reads('[role=tab]', `Events ${1 + cut * 3}`);
    await publish(server, 'flaky', [touch, touch]);
    proxy.cut();
    await publish(server, 'flaky', touch);
  }
  await server.close();
  proxy.cut();
  await page.reads('.connection', /reconnecting \d+.*\(last event .* ago\)/);
  await page.reads('.session-title', 'stale');
  await page.browser.press('H');
  await page.reads('.notice', 'HALT not sent: not connected, and nothing is queued');
  await server.restart();
  await publish(server, 'flaky', touch);

  const events = 2 + cuts * 3;
  await page.reads('.connection', 'live');
  await page.reads('[role=tab]', `Events ${events}`);
  await page.click('#files .item');
  // The fold counts each event that it takes.
  await page.reads('#files .detail', `touched\n${events - 1} times`);
  expect(await commandsOf(server.url, 'flaky')).toEqual([]);
  await page.expectClean();
});

test('HALT at once, on its way until it is acknowledged; RESUME; a rollback by its preview; what was sent stands in the ledger', async (context) => {
  if (missing !== undefined) return context.skip(missing);
  const server = await startServer();
  await publish(server, 'run', runEvents);
  const orchestrator = await attachOrchestrator(server.url, 'run');
  const safePoint = Promise.withResolvers<void>();
  orchestrator.onCommand('HALT', () => safePoint.promise);
  await page.open(`${server.url}/s/run`);
  await page.reads('.session-head', /RUNNING\s+run[\s\S]*Build the API/);

  await page.browser.press('H');
  await page.reads('.halt', 'HALT is on its way');
  await page.reads('.sentences', /HALT by .*: sent > delivered > waiting for the next safe point/);
  safePoint.resolve();
  await page.reads('.session-title', 'HALTED');
  await page.click('.command-bar button', 'RESUME');
  await page.reads('.session-title', 'RUNNING');

  await page.browser.press('B');
  await page.reads('dialog', /Back to cp-2: after wave 1[\s\S]*src\/new\.ts \(created\)/);
  // Nothing is done by the key that has opened it, and Cancel has the focus.
  expect(await page.browser.evaluate('document.activeElement.innerText')).toBe('Cancel');
  await page.expectAccessible();
  await page.click('dialog button', 'Roll back');
  await page.reads('.notice', 'ROLLBACK applied by');
  expect(await page.count('dialog')).toBe(0);
  const sent = await commandsOf(server.url, 'run');
  expect(sent.map(({ command_type, parameters }) => [command_type, parameters])).toEqual([
    ['HALT', {}],
    ['RESUME', {}],
    ['ROLLBACK', { dry_run: true, steps: 1 }],
    ['ROLLBACK', { checkpoint_id: 'cp-2' }],
  ]);
  await page.expectUsableOnPhone();
  await page.reads('#commands', /ROLLBACK\s+applied\s+by [\s\S]*ROLLBACK preview\s+applied[\s\S]*HALT\s+applied/);
  await page.expectClean();
});

test('decisions: nothing is chosen before a person chooses; the answer goes with its comment; one that was made elsewhere goes', async (context) => {
  if (missing !== undefined) return context.skip(missing);
  const server = await startServer();
  const ask = (id: string, more: object = {}) => ({
    type: 'decision:point',
    data: { decision_id: id, question: `${hostile} ${id}?`, options: ['migrate', { id: 'skip', label: 'Skip it' }], ...more },
  });
  await publish(server, 'asking', [
    { type: 'execution:started', data: { task: hostile + 'x'.repeat(10_000) } },
    ask('one', { default: 'skip', timeout_ms: 600_000 }),
    ask('two'),
  ]);
  await page.open(`${server.url}/`);
  await page.reads('.needs-you', 'asking');
  await page.browser.press('H');
  await page.reads('.notice', 'Choose a session first');
  await page.browser.press('n');
  await page.browser.press('H');
  await page.reads('.session-row', 'HALTED');
  await page.browser.press('R');
  await page.reads('.session-row', 'RUNNING');
  await page.open(`${server.url}/s/asking`);
  await page.reads('.decision', /Decision 1 of 2[\s\S]*in 9m\d\ds it answers itself: "Skip it"/);
  expect(await page.browser.evaluate('document.title')).toBe('(2) asking · shannon-dash');
  expect(await page.browser.evaluate('document.querySelector("link[rel=icon]").href')).toContain('icon-alert');
  expect([await page.count('.decision input:checked'), await page.count('.decision button:disabled')]).toEqual([0, 2]);
  // The second one tells what it asks, and has no room of its own before it is opened or the first one is answered.
  expect(await page.count('.decision details[open]')).toBe(1);
  await page.browser.press('d');
  expect(await page.browser.evaluate('document.activeElement.dataset.option')).toBe('1');
  await page.browser.press('Escape');
  expect(await page.browser.evaluate('document.activeElement === document.body && location.pathname')).toBe('/s/asking');
  expect([await page.count('img'), await page.count('body script')]).toEqual([0, 0]);
  await page.reads('.question', '<img src=x onerror="alert(1)"><script>alert(2)</script> end one?');
  await page.expectAccessible();

  await page.click('.decision .option', 'migrate');
  await page.type('.decision .comment', 'after the backup');
  // What is pressed in the first moments was meant for what was there before.
  await expect
    .poll(async () => {
      await page.browser.evaluate('document.querySelector(".decision button[type=submit]").click()');
      return page.count('.decision');
    })
    .toBe(1);
  await expect.poll(() => page.count('.decision details[open]')).toBe(1);
  await http('POST', `${server.url}/api/sessions/asking/commands`, { type: 'DECISION', decision_id: 'two', choice: 'skip' });
  await expect.poll(() => page.count('.decision')).toBe(0);
  expect(await page.browser.evaluate('document.title')).toBe('asking · shannon-dash');
  const { events } = (await http('GET', `${server.url}/api/sessions/asking/events?types=decision:made`)).body as { events: SessionEvent[] };
  expect(events.map(({ data }) => data)).toMatchObject([
    { decision_id: 'one', choice: 'migrate', comment: 'after the backup' },
    { decision_id: 'two', choice: 'skip' },
  ]);
  // Out of sight, the browser tells; what has been told on the page is not told again.
  await page.browser.evaluate('window.isOutOfSight = true');
  await publish(server, 'asking', ask('three'));
  await expect.poll(() => page.browser.evaluate('window.told.length')).toBe(1);
  expect(await page.browser.evaluate('window.told[0]')).toMatch(/asking[\s\S]*three\?/);
  await page.expectClean();
  // Two answer at once: one of them has decided, and the other one is told.
  await page.browser.evaluate('window.isOutOfSight = false');
  await page.reads('.decision', 'three?');
  await page.click('.decision .option', 'migrate');
  const both = `(() => {
    const body = JSON.stringify({ type: 'DECISION', decision_id: 'three', choice: 'skip', timeout_ms: 5000 });
    const answer = fetch('/api/sessions/asking/commands', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    document.querySelector('.decision button[type=submit]').click();
    return answer.then(({ ok }) => ok);
  })()`;
  const isFromElsewhere = await page.browser.evaluate(both);
  await expect.poll(() => page.count('.decision')).toBe(0);
  const made = (await http('GET', `${server.url}/api/sessions/asking/events?types=decision:made`)).body as { events: SessionEvent[] };
  const ofThree = made.events.filter(({ data }) => data['decision_id'] === 'three');
  expect(ofThree.map(({ data }) => data['choice'])).toEqual([isFromElsewhere === true ? 'skip' : 'migrate']);
  // From one that needs somebody to the next, and round. Esc in the search shows all again.
  await publish(server, 'asking', ask('four'));
  await publish(server, 'second', ask('other'));
  await page.open(`${server.url}/`);
  await page.reads('.needs-you h2', '2');
  const visited: unknown[] = [];
  for (let press = 0; press < 3; press++) {
    await page.browser.press('n');
    visited.push(await page.browser.evaluate('document.activeElement.dataset.session'));
  }
  expect(visited[2]).toBe(visited[0]);
  expect(new Set(visited)).toEqual(new Set(['asking', 'second']));
  await page.type('.filters input', 'nothing has this');
  await page.reads('.overview', 'No session has these words');
  await page.browser.evaluate('document.querySelector(".filters input").focus()');
  await page.browser.press('Escape');
  await page.reads('.needs-you', 'second');
});

test('the history: any of its events, those that pass a filter, one in full, a moment of the past by its link; output in its colours', async (context) => {
  if (missing !== undefined) return context.skip(missing);
  const server = await startServer();
  await publish(server, 'long', runEvents);
  const diff = '@@ -1 +1 @@\n-old line\n+new line';
  await publish(server, 'long', { type: 'file:modified', data: { path: 'src/api.ts', diff, lines_added: 1, lines_removed: 1 } });
  for (let part = 0; part < 3; part++) {
    const lines = Array.from({ length: 1_000 }, (_, at) => ({
      type: 'skill:progress',
      data: { skill_name: 's', message: `tick ${part * 1_000 + at + 1}.` },
    }));
    await publish(server, 'long', lines);
  }
  await publish(server, 'long', {
    type: 'process:output',
    data: { stream: 'stdout', lines: [`\u001b[31mred\u001b[0m \u001b[2;38;5;226mdim\u001b[0m ${hostile}`] },
  });
  await page.open(`${server.url}/s/long`);
  await page.reads('.rows', /tick 3000\.[\s\S]*stdout \| red/);
  await page.browser.evaluate('document.querySelector(".rows").focus()');
  await page.browser.press('g');
  await page.reads('.rows', /^\S+\s+run\s+started: Build the API/);
  await page.browser.press('Enter');
  await page.reads('dialog', /Event 1[\s\S]*execution:started[\s\S]*task\s+Build the API/);
  await page.expectAccessible();
  // Firefox closes a dialog before it tells the page of the key: that is no way to all sessions.
  await page.browser.evaluate(
    'document.querySelector("dialog").close(); document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }))',
  );
  await expect.poll(() => page.count('dialog')).toBe(0);
  expect(await page.browser.evaluate('location.pathname')).toBe('/s/long');

  await page.type('.log input', 'checkpoint:*');
  await page.browser.evaluate('document.querySelector(".log form").requestSubmit()');
  await page.reads('.log-note', '2 found, looked to the first event');
  await page.reads('.rows', /checkpoint cp-1: after the spec[\s\S]*checkpoint cp-2: after wave 1/);
  // What is looked at stays where it is as earlier lines come.
  await page.type('.log input', 'tick');
  await page.browser.evaluate('document.querySelector(".log form").requestSubmit()');
  await page.reads('.log-note', /[1-9][\d,]* found, looked back to event [\d,]+/);
  await page.browser.evaluate('document.querySelector(".rows").focus()');
  await page.browser.press('g');
  const selected = `(() => { const row = document.querySelector('.rows .selected'); return row && row.innerText + ' ' + Math.round(row.getBoundingClientRect().top - row.closest('.rows').getBoundingClientRect().top); })()`;
  await expect.poll(() => page.browser.evaluate(selected)).toMatch(/tick \d+/);
  const before = await page.browser.evaluate(selected);
  await page.click('.log-note button', 'Look further back');
  await page.reads('.log-note', '3,000 found, looked to the first event');
  expect(await page.browser.evaluate(selected)).toBe(before);
  await page.click('#files .item', 'src/api.ts');
  await page.click('#files button', 'What changed last');
  await page.reads('dialog', /file:modified[\s\S]*src\/api\.ts[\s\S]*lines_removed[\s\S]*-old line/);
  expect(await page.text('dialog .tone-good')).toBe('+new line');
  await page.browser.press('Escape');
  await page.click('[role=tab]', 'Output');
  await page.reads('.written', 'red dim <img src=x onerror="alert(1)"><script>alert(2)</script> end');
  expect(await page.text('.written .ansi-1')).toBe('red');
  await page.expectAccessible();

  await page.click('[role=tab]', 'Timeline');
  await page.reads('.timeline', /Agents[\s\S]*builder-1[\s\S]*Skills[\s\S]*wave-orchestration[\s\S]*Checkpoints/);
  await page.expectAccessible();
  await page.click('[aria-label="Look nearer"]');
  await page.click('.bar-of[aria-label^="lint, "]');
  await page.reads('dialog', /Event \d+[\s\S]*Copy as JSON/);

  await page.open(`${server.url}/s/long?at=9`);
  await page.reads('.history-bar', /HISTORY 9\/3,021 at/);
  await page.reads('#agents', 'running: edit src/api.ts');
  await page.reads('[role=tab]', 'Events 9');
  expect([await page.count('#files'), await page.count('.command-bar')]).toEqual([0, 0]);
  await page.expectAccessible();
  await page.browser.press('H');
  await page.reads('.notice', 'This is history: go back to live first');
  await page.browser.press('[');
  await expect.poll(() => page.browser.evaluate('location.search')).toBe('?at=8');
  await page.browser.press('l');
  await page.reads('#files', 'src/api.ts');
  expect(await page.browser.evaluate('location.search')).toBe('');
  expect(await commandsOf(server.url, 'long')).toEqual([]);
  await page.browser.press('?');
  await page.reads('dialog', 'halt at once, without asking');
  await page.expectAccessible();
  await page.expectClean();
});

test('a link to one session: made on the page, opened once, seen by somebody who can do nothing else, until it is revoked; the session as a file', async (context) => {
  if (missing !== undefined) return context.skip(missing);
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-page-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, 'tokens');
  const bearerOf = (request: TokenRequest) => ({ authorization: `Bearer ${createToken(tokenFile, request).text}` });
  const [boss, ana] = [bearerOf({ name: 'boss', role: 'admin' }), bearerOf({ name: 'ana', role: 'operator' })];
  const server = await startServer({ tokenFile, asksEverybody: true });
  const sessions = `${server.url}/api/sessions`;
  for (const id of ['shown', 'hidden']) expect((await http('POST', `${sessions}/${id}/events`, runEvents, boss)).status).toBe(200);
  const { login_url } = (await http('POST', `${server.url}/api/login-codes`, undefined, ana)).body;
  await page.open(`${server.url}${String(login_url)}/shown`);
  const file = 'fetch(document.querySelector("a[download]").href).then(async (answer) => (await answer.text()).split("\\n").length)';
  await page.reads('.tools', 'Export');
  // A header, an event a line, and the end of the last line.
  expect(await page.browser.evaluate(file)).toBe(runEvents.length + 2);
  await page.click('.tools button', 'Share');
  expect(await page.text('dialog')).not.toContain('servers share');
  await page.browser.press('Escape');
  await expect.poll(() => page.count('dialog')).toBe(0);
  server.journal.join('another server');
  await page.click('.tools button', 'Share');
  await page.reads('dialog', '2 servers share this journal: a link is good at the one that made it');
  await page.click('dialog button', 'Make a link');
  await page.reads('.links-made', /by ana, not opened yet, ends in (?:24h|1d|23h)/);
  await page.expectAccessible();
  const link = String(await page.browser.evaluate('document.querySelector(".shared").value'));
  expect(link).toMatch(new RegExp(`^${server.url}/login#sd_\\w+/shown$`));
  await page.expectClean();

  await page.browser.goTo(link);
  await page.reads('.who', /You are share-\w{8}, viewer/);
  await page.reads('.session-head', 'Build the API');
  await page.reads('.tools', 'Export');
  expect([await page.count('.command-bar'), await page.count('.tools button')]).toEqual([0, 0]);
  await page.browser.press('H');
  await page.reads('.notice', 'Your role may not send HALT');
  await page.click('a.home');
  await page.reads('.overview', 'shown');
  expect(await page.text('.overview')).not.toContain('hidden');
  await page.expectAccessible();
  const { shares } = (await http('GET', `${sessions}/shown/shares`, undefined, ana)).body as { shares: { id: string; opened: boolean }[] };
  expect(shares).toMatchObject([{ opened: true }]);
  expect((await http('DELETE', `${sessions}/shown/shares/${shares[0]?.id}`, undefined, ana)).status).toBe(200);
  await page.reads('.sign-in', /Your link has ended[\s\S]*Ask whoever gave you the link for another one/);
  expect([await page.count('.who'), await page.count('.connection'), await page.count('.overview')]).toEqual([0, 0, 0]);
  await page.expectAccessible();
  await page.open(server.url);
  await page.reads('.sign-in', 'You are not logged in');
  expect((await http('GET', `${sessions}/shown/commands`, undefined, ana)).body).toMatchObject({ total: 0 });
});

test('analytics: what the sessions add up to, by day and by others, as a chart and as tables', async (context) => {
  if (missing !== undefined) return context.skip(missing);
  const server = await startServer();
  const run = (folder: string, end: string) => [
    { type: 'execution:started', data: { folder } },
    { type: 'skill:started', data: { skill_name: hostile } },
    { type: 'skill:failed', data: { skill_name: hostile, error: 'no' } },
    { type: `execution:${end}`, data: {} },
  ];
  await publish(server, 'one', run('shop', 'completed'));
  await publish(server, 'two', run('shop', 'failed'));
  await publish(server, 'three', run('docs', 'completed'));
  await page.open(`${server.url}/`);
  await page.click('.overview a', 'Analytics');
  await page.reads('.figures', /By day[\s\S]*RUNS\s+FAILED[\s\S]*\d{4}-\d\d-\d\d\s+3\s+1 \(33%\)/);
  await page.reads('.chart', 'Runs by day, up to 3');
  await page.reads('.chart .u-legend', /not ended[\s\S]*failed or lost[\s\S]*completed/);
  // What is drawn is there: colours of what was completed, and of what was not.
  const colors = `(() => {
    const canvas = document.querySelector('.chart canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) seen.add('rgb(' + data.slice(at, at + 3).join(', ') + ')');
    return ['tone-good', 'tone-bad'].map((tone) => {
      const of = Object.assign(document.createElement('p'), { className: tone });
      document.body.append(of);
      const { color } = getComputedStyle(of);
      of.remove();
      return seen.has(color);
    });
  })()`;
  expect(await page.browser.evaluate(colors)).toEqual([true, true]);
  await page.expectAccessible();
  await page.click('.chip', 'folder');
  await page.reads('.figures', /By folder[\s\S]*shop\s+2\s+1 \(50%\)/);
  await page.reads(
    '.figure-tables',
    /Skills that fail most[\s\S]*<img src=x onerror="alert\(1\)"><script>alert\(2\)<\/script> end\s+3\s+100%/,
  );
  expect(await page.browser.evaluate('fetch(document.querySelector("a[download]").href).then((answer) => answer.text())')).toContain(
    'shop,',
  );
  await page.browser.press('Escape');
  await page.reads('.overview', /Sessions[\s\S]*three/);
  await page.expectClean();
});
