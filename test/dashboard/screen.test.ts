import { describe, expect, test } from 'vitest';
import { asciiGlyphs } from '../../src/view/text/glyphs.ts';
import { keyTable } from '../../src/dashboard/keys/key-table.ts';
import { panelIds } from '../../src/view/panels/panel.ts';
import type { Overlay } from '../../src/dashboard/ui-state.ts';
import { hostileEvents, hostileTexts, unsafe } from './hostile.ts';
import { journalled, nowMs, modelOf, runJournal, screenRows, stateOf, type ModelWish } from './screen-models.ts';

const sizes = [
  [120, 40],
  [100, 30],
  [100, 24],
  [99, 24],
  [80, 24],
  [79, 23],
  [60, 20],
  [40, 10],
  [38, 9],
  [20, 3],
  [200, 60],
  [300, 12],
] as const;

const rollback: Overlay = {
  kind: 'rollback',
  sessionId: 'run-7f3a',
  stage: 'ready',
  lines: ['files: 3'],
  checkpoint: ['Back to cp-2: after wave 1'],
  target: { steps: 1 },
  checkpointSeq: 0,
};

describe('a screen', () => {
  test.each(sizes)('fills %ix%i exactly, whatever has the focus or lies over it', (columns, rows) => {
    for (const focus of panelIds) {
      for (const isZoomed of [false, true]) screenRows(modelOf({ columns, rows, ui: { focus, isZoomed } }));
    }
    for (const [overlay, overlayTop] of [
      [{ kind: 'help' }, 99],
      [{ kind: 'detail', title: 'x', fields: [['a', 'b '.repeat(500)]] }, 2],
      [rollback, 0],
    ] as [Overlay, number][]) {
      screenRows(modelOf({ columns, rows, ui: { overlay, overlayTop } }));
    }
    screenRows(modelOf({ columns, rows, events: [] }));
    screenRows(
      modelOf({
        columns,
        rows,
        ui: { sessionId: undefined },
        sessions: [
          { state: stateOf(runJournal), eventsPerSecond: 3.2, lastSeconds: (seconds) => Array.from({ length: seconds }, (_, n) => n) },
        ],
      }),
    );
  });

  test.each(sizes)('holds hostile texts of every kind in its columns and shows no control, at %ix%i', (columns, rows) => {
    const events = journalled(hostileTexts.flatMap((text, index) => hostileEvents(text, index)));
    const state = stateOf(events);
    const wishes: ModelWish[] = [
      ...panelIds.map((focus): ModelWish => ({ ui: { focus, isZoomed: true } })),
      {},
      { ui: { sessionId: undefined }, sessions: [{ state, eventsPerSecond: 0 }] },
      { isReadonly: true, style: { glyphs: asciiGlyphs, nowMs, timestamps: 'none' } },
    ];
    for (const wish of wishes) for (const row of screenRows(modelOf({ columns, rows, events, ...wish }))) expect(row).not.toMatch(unsafe);
  });

  test('is ASCII throughout with --ascii', () => {
    const events = runJournal.filter((event) => !JSON.stringify(event).includes('日本'));
    const rows = screenRows(modelOf({ events, style: { glyphs: asciiGlyphs, nowMs, timestamps: 'clock' } }));
    expect(rows.join('')).toMatch(/^[\x20-\x7e]*$/);
  });

  test.each(sizes)('never loses the decision count nor the way to the help, at %ix%i', (columns, rows) => {
    const text = screenRows(modelOf({ columns, rows })).join('\n');
    if (columns >= 38) expect(text).toContain('2 decisions');
    expect(text).toMatch(/\?/);
  });
});

describe('nothing that must be read is cut off', () => {
  const narrow = { columns: 60, rows: 20 };
  const live = modelOf().connection;

  test('the help, in whatever width; 120x40 have room for all of it', () => {
    for (const [columns, rows] of [
      [60, 90],
      [80, 90],
      [120, 40],
    ] as const) {
      const cells = screenRows(modelOf({ columns, rows, ui: { overlay: { kind: 'help' } } })).map((row) => row.split('│'));
      // A key's words go on below it, in its own column.
      const words = [1, 2]
        .flatMap((column) => cells.map((row) => row[column] ?? ''))
        .join(' ')
        .replace(/\s+/g, ' ');
      for (const binding of keyTable) expect(words, `${columns} columns`).toContain(binding.does);
    }
  });

  test('a long preview scrolls, and the way out of the dialog stays', () => {
    const lines = Array.from({ length: 30 }, (_, index) => `file ${index}`);
    const text = (top: number) => screenRows(modelOf({ ...narrow, ui: { overlay: { ...rollback, lines }, overlayTop: top } })).join('\n');
    expect(text(0)).toMatch(/1-12 of 32[^]*Back to cp-2: after wave 1[^]*file 0[^]*\[ Cancel \] {2}Enter or Esc {6}y {2}roll back/);
    expect(text(99)).toMatch(/file 29[^]*\[ Cancel \]/);
  });

  test('what is typed as a filter, at its end, with the way to the help', () => {
    const footer = (columns: number, filterInput: string) => screenRows(modelOf({ columns, rows: 20, ui: { filterInput } })).at(-1);
    expect(footer(120, 'skill:*')).toMatch(/^ filter: skill:\*_ {3}Enter keeps it, Esc drops it, ! first: all but {3}Esc \? help/);
    for (const columns of [40, 60, 80]) expect(footer(columns, 'x'.repeat(150) + 'end')).toMatch(/xend_ .*Esc \? help/);
  });

  test('how the connection stands, in short where there is no room', () => {
    const connection = { ...live, status: 'reconnecting', attempt: 3, retryAt: nowMs + 4_000 } as const;
    expect(screenRows(modelOf({ ...narrow, connection }))[0]).toMatch(/◌ reconnecting 3 in 4s {2}! 2 decisions/);
    expect(screenRows(modelOf({ columns: 38, rows: 9, connection })).join('\n')).toContain('◌ reconnecting 3 in 4s');
    const history = { seq: 46, state: stateOf(runJournal) };
    expect(screenRows(modelOf({ ...narrow, ui: { history } }))[0]).toMatch(/HISTORY 46\/21 .*! 2 decisions/);
  });

  test('the explanations of options stand below each other', () => {
    const options = [
      { id: 'a', label: 'PostgreSQL', description: 'as elsewhere' },
      { id: 'b', label: 'SQLite', description: 'one file' },
    ];
    const events = journalled([{ type: 'decision:point', data: { decision_id: 'd', question: 'Which?', options } }]);
    const rows = screenRows(modelOf({ events }));
    const column = (text: string) => rows.find((row) => row.includes(text))?.indexOf(text);
    expect(column('as elsewhere')).toBe(column('one file'));
  });

  test('what a session of the overview needs, at 80 columns', () => {
    const sessions = [{ state: stateOf(runJournal), eventsPerSecond: 3.2 }];
    expect(screenRows(modelOf({ columns: 80, rows: 24, ui: { sessionId: undefined }, sessions })).join('\n')).toContain(
      '! 2 decisions: Mig',
    );
  });
});

test('what is not known is not shown as nothing', () => {
  const events = journalled([
    { type: 'execution:started', data: { task: 'npm test' } },
    { type: 'file:created', data: { path: 'out.txt' } },
  ]);
  const rows = screenRows(modelOf({ events }));
  expect(rows[1]).toMatch(/^ npm test /);
  expect(rows.find((row) => row.includes('out.txt'))).not.toMatch(/[+-]0/);
  const planned = journalled([{ type: 'execution:started', data: { total_steps: 4 } }]);
  expect(screenRows(modelOf({ events: planned }))[1]).toMatch(/^ ░+ {2}0\/4 skills/);
});

test.each(sizes.filter(([columns]) => columns >= 60 && columns <= 120))(
  'what would fill an empty place is said whole, at %ix%i',
  (columns, rows) => {
    // What stands below each other within borders.
    const words = (wish: ModelWish) => {
      const cells = screenRows(modelOf({ columns, rows, ...wish })).map((row) => row.split('│'));
      return [0, 1, 3]
        .map((at) => cells.map((row) => row[at]).join(' '))
        .join(' ')
        .replace(/\s+/g, ' ');
    };
    const started = journalled([{ type: 'execution:started', data: {} }]);
    for (const [focus, what] of [
      ['skills', 'its steps show here'],
      ['agents', 'agents at work show here'],
      ['files', 'files that change show here'],
      ['validation', 'tests and checks show here'],
      ['decision', 'questions for you show here'],
    ] as const) {
      if (columns >= 100) expect(words({ events: started })).toContain(`none; ${what}`);
      expect(words({ events: started, ui: { focus, isZoomed: true } })).toContain(`none; ${what}`);
    }
    const url = 'http://192.168.100.100:8000';
    expect(words({ events: [], url, ui: { sessionId: 'nightly-build-2026' } })).toContain(
      `shannon-dash run --session nightly-build-2026 --url ${url} -- npm test`,
    );
  },
);

test('commands to copy reach the server on screen', () => {
  const text = (wish: ModelWish) => screenRows(modelOf({ events: [], ...wish })).join('\n');
  const away = { ...modelOf().connection, status: 'connecting' } as const;
  expect(text({ url: 'http://127.0.0.1:18110' })).toContain('run --session run-7f3a --url http://127.0.0.1:18110 -- npm test');
  expect(text({ url: 'http://127.0.0.1:18110', connection: away })).toContain('shannon-dash serve --port 18110 ');
  expect(text({ url: 'http://127.0.0.1:8000', connection: away })).toContain('shannon-dash serve ');
  expect(text({ url: 'https://dash.example', connection: away })).toMatch(/Start one there:[^]*shannon-dash serve /);
});

test('a window with room for little says what is most pressing', () => {
  const lost = journalled([
    { type: 'execution:started', data: {} },
    { type: 'orchestrator:attached', data: { instance_id: 'o', capabilities: [] } },
    { type: 'orchestrator:detached', data: { instance_id: 'o', reason: 'gone' } },
  ]);
  expect(screenRows(modelOf({ columns: 38, rows: 9, events: lost })).join('\n')).toContain('the program is gone without a word');
});

test('a window with room for little offers no halt of a session that nobody sees', () => {
  const tiny = (wish: ModelWish) => screenRows(modelOf({ columns: 38, rows: 9, ...wish })).join('\n');
  expect(tiny({})).toContain('H halt');
  expect(tiny({ ui: { sessionId: undefined }, sessions: [{ state: stateOf(runJournal), eventsPerSecond: 0 }] })).not.toContain('H halt');
});

describe('every state is visible at a glance', () => {
  const live = modelOf().connection;
  const more = (...events: Parameters<typeof journalled>[0][number][]) => journalled([...runJournal, ...events]);
  const cases: [string, ModelWish, RegExp][] = [
    ['no session yet', { events: [], ui: { sessionId: undefined } }, /No session yet on .*\n[^]*shannon-dash run -- npm test/],
    ['an empty session', { events: [] }, /run-7f3a has no event yet/],
    ['connecting', { events: [], connection: { ...live, status: 'connecting' } }, /◌ connecting to http:\/\/127\.0\.0\.1:8000/],
    ['live', {}, /● live 12ms {2}▁▂█▇ {2}142 ev\/s/],
    [
      'tokens of the last minutes',
      {
        lastTokens: [0, 900, 100],
        events: more({ type: 'usage:reported', data: { input_tokens: 900, output_tokens: 100 } }),
      },
      /Build the API +▁█▂ +1\.0k tokens/,
    ],
    ['catching up', { catchingUp: { from: 81_204, to: 81_930 } }, /replaying 81,204→81,930/],
    ['a gap', { missed: { events: 312, sinceMs: nowMs } }, /! 312 events missed/],
    ['another journal', { missed: { events: null, sinceMs: nowMs } }, /another journal/],
    [
      'reconnecting',
      { connection: { ...live, status: 'reconnecting', attempt: 3, retryAt: nowMs + 4_000 }, lastEventMs: nowMs - 12_000 },
      /◌ reconnecting 3 in 4s \(last event 12s ago\)[^]*Skills 1\/6 \(stale\)/,
    ],
    ['refused', { events: [], connection: { ...live, status: 'closed', error: 'send a token' } }, /✖ refused: send a token/],
    [
      'halting, sent',
      { events: more({ type: 'execution:halting', data: { initiated_by: 'ana' } }) },
      /‖ HALTING[^]*HALT by ana: sent > not delivered yet/,
    ],
    [
      'halting, delivered',
      {
        events: more(
          { type: 'command:queued', data: { command_id: 'c', command_type: 'HALT', by: 'ana' } },
          { type: 'command:delivered', data: { command_id: 'c', command_type: 'HALT' } },
          { type: 'execution:halting', data: { command_id: 'c', initiated_by: 'ana' } },
        ),
      },
      /HALT by ana: sent > delivered >/,
    ],
    [
      'halted',
      { events: more({ type: 'execution:halted', data: { initiated_by: 'ana', reason: 'lunch' } }) },
      /‖ HALTED[^]*halted by ana 1m00s ago: lunch/,
    ],
    ['a decision pending', {}, /! 2 decisions[^]*5 Decision 1 of 2 {2}from reviewer/],
    [
      'a program that is gone',
      {
        events: more(
          { type: 'orchestrator:attached', data: { instance_id: 'o' } },
          { type: 'orchestrator:detached', data: { instance_id: 'o' } },
        ),
      },
      /▶ RUNNING[^]*the program is gone without a word, last seen 1m00s ago/,
    ],
    ['completed', { events: more({ type: 'execution:completed', data: { result: 'all green' } }) }, /✔ COMPLETED[^]*completed: all green/],
    ['failed', { events: more({ type: 'execution:failed', data: { error: 'out of memory' } }) }, /✖ FAILED[^]*failed: out of memory/],
    ['history', { ui: { history: { seq: 812, state: undefined } } }, /HISTORY 812\/21 {2}l live/],
    ['read only', { isReadonly: true }, /read only/],
  ];
  test.each(cases)('%s', (_, wish, wanted) => {
    expect(screenRows(modelOf(wish)).join('\n')).toMatch(wanted);
  });
});

describe('the key table', () => {
  test('gives a key one meaning on each screen', () => {
    const taken = keyTable.flatMap((binding) => binding.in.flatMap((context) => binding.keys.map((key) => `${context} ${key}`)));
    expect(taken.filter((each, index) => taken.indexOf(each) !== index)).toEqual([]);
  });

  test('lets only y confirm a rollback, and never opens a prompt with a key that answers one', () => {
    expect(new Set(keyTable.filter((binding) => binding.action === 'confirm').flatMap((binding) => binding.keys))).toEqual(new Set(['y']));
    const answers = keyTable.filter((binding) => ['confirm', 'send-choice'].includes(binding.action)).flatMap((binding) => binding.keys);
    const opens = keyTable.filter((binding) => ['rollback', 'stop', 'decide'].includes(binding.action)).flatMap((binding) => binding.keys);
    expect(answers.filter((key) => opens.includes(key))).toEqual([]);
  });

  test('the footer offers what can be done now and nothing else', () => {
    const footer = (wish: ModelWish) => screenRows(modelOf(wish)).at(-1);
    const attached = (...capabilities: string[]) =>
      journalled([...runJournal, { type: 'orchestrator:attached', data: { instance_id: 'o', capabilities } }]);
    expect(footer({ events: attached('HALT', 'ROLLBACK') })).toMatch(/d decide {2}H halt {2}B rollback/);
    expect(footer({ events: journalled([...runJournal, { type: 'execution:halted', data: {} }]) })).toMatch(/R resume/);
    expect(footer({ isReadonly: true, events: attached('ROLLBACK') })).not.toMatch(/decide|halt|rollback/);
    const past = { seq: 3, state: stateOf(runJournal.slice(0, 3)), lines: [] };
    const halted = journalled([...runJournal, { type: 'execution:halted', data: {} }]);
    expect(footer({ events: halted, ui: { history: past } })).not.toMatch(/resume|halt|rollback|stop/);
    expect(footer({ events: attached('STOP') })).toMatch(/X stop/);
    expect(footer({ events: attached('STOP', 'ROLLBACK'), ui: { history: past } })).not.toMatch(/resume|halt|rollback|stop|decide/);
    expect(footer({ connection: { ...modelOf().connection, status: 'reconnecting' } })).not.toMatch(/decide|halt|rollback/);
    expect(footer({ events: journalled([{ type: 'execution:completed', data: {} }]) })).not.toMatch(/decide|halt|rollback/);
    const detached = { type: 'orchestrator:detached', data: { instance_id: 'o' } };
    for (const events of [runJournal, attached('HALT'), journalled([...attached('ROLLBACK'), detached])])
      expect(footer({ events })).not.toMatch(/rollback/);
  });
});
