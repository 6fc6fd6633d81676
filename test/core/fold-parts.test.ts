import { describe, expect, test } from 'vitest';
import { fold } from '../../src/core/fold/fold.ts';
import { foldLimits } from '../../src/core/protocol/limits.ts';
import { LengthSums } from '../../src/core/rollup/lengths.ts';
import { createdState, stateAfter, timeOf } from './session-events.ts';

describe('skills', () => {
  test('go from started over progress to completed, with the time taken', () => {
    const state = stateAfter(
      ['skill:started', { skill_name: 'build', agent_id: 'a1', step_index: 0 }],
      ['skill:progress', { skill_name: 'build', progress: 50, message: 'half' }],
      ['skill:completed', { skill_id: 'build' }],
    );
    expect(state.skills).toEqual([
      {
        skill_id: 'build',
        skill_name: 'build',
        status: 'completed',
        progress: 100,
        message: 'half',
        agent_id: 'a1',
        step_index: 0,
        started_at: timeOf(1),
        ended_at: timeOf(3),
        duration_ms: 2_000,
        error: null,
      },
    ]);
    expect(state.current_skill).toBeNull();
    expect(state.skill_usage).toEqual([{ skill_name: 'build', started: 1, completed: 1, failed: 0, duration_s: 2, durations: 1 }]);
  });

  test('fail with an error, keep their progress, and the producer may say how long it took', () => {
    const state = stateAfter(
      ['skill:started', { skill_name: 'build' }],
      ['skill:progress', { skill_name: 'build', progress: 30 }],
      ['skill:failed', { skill_name: 'build', error: { message: 'bang' }, duration: 0.25 }],
    );
    expect(state.skills[0]).toMatchObject({ status: 'failed', progress: 30, error: 'bang', duration_ms: 250 });
    expect(state.skill_usage[0]).toMatchObject({ failed: 1, completed: 0, durations: 0 });
  });

  test('are told apart by skill_id, and the newest running one is current', () => {
    const started = (skill_id: string) => ['skill:started', { skill_name: 'test', skill_id }] as const;
    const state = stateAfter(
      started('t1'),
      started('t2'),
      ['skill:started', { skill_name: 'lint' }],
      ['skill:completed', { skill_id: 't2' }],
    );
    expect(state.skills.map((skill) => [skill.skill_id, skill.status])).toEqual([
      ['t1', 'running'],
      ['t2', 'completed'],
      ['lint', 'running'],
    ]);
    expect(state.current_skill).toBe('lint');
    expect(state.skill_usage.map((usage) => [usage.skill_name, usage.started])).toEqual([
      ['test', 2],
      ['lint', 1],
    ]);
  });

  test('started again begin anew', () => {
    const state = stateAfter(
      ['skill:started', { skill_name: 'a' }],
      ['skill:failed', { skill_name: 'a', error: 'x' }],
      ['skill:started', { skill_name: 'a' }],
    );
    expect(state.skills).toHaveLength(1);
    expect(state.skills[0]).toMatchObject({ status: 'running', error: null, ended_at: null, duration_ms: null, started_at: timeOf(3) });
  });

  test('injected are pending until they start; an injected one that runs stays as it is', () => {
    const injected = ['skill:injected', { skill_name: 'a' }] as const;
    expect(stateAfter(injected).skills[0]).toMatchObject({ status: 'pending', started_at: null });
    expect(stateAfter(injected).current_skill).toBeNull();
    expect(stateAfter(['skill:started', { skill_name: 'a' }], injected).skills[0]).toMatchObject({ status: 'running' });
  });

  test('that complete count the progress where the steps are known, never backwards', () => {
    const done = (skill_name: string) => ['skill:completed', { skill_name }] as const;
    expect(stateAfter(['execution:started', { total_steps: 4 }], done('a')).progress).toBe(25);
    expect(stateAfter(['execution:started', { total_steps: 4 }], done('a'), done('a')).progress).toBe(25);
    expect(stateAfter(['execution:started', { total_steps: 1 }], done('a'), done('b')).progress).toBe(100);
    expect(stateAfter(['execution:started', { total_steps: 4 }], ['execution:progress', { progress: 90 }], done('a')).progress).toBe(90);
    expect(stateAfter(['execution:started'], done('a')).progress).toBeNull();
  });

  test('whose durations are beyond all numbers count as of unknown length', () => {
    const state = stateAfter(
      ['skill:completed', { skill_name: 'a', duration: 1e308 }],
      ['skill:completed', { skill_name: 'b', duration: 2 }],
    );
    expect(state.skills[0]?.duration_ms).toBeNull();
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });
});

describe('agents', () => {
  test('are spawned, report, and end with or without success', () => {
    const state = stateAfter(
      ['agent:spawned', { agent_id: 'a', role: 'tester', task: 't' }],
      ['agent:progress', { agent_id: 'a', progress: 40, tokens: 100, cost_usd: 0.5, message: 'm' }],
      ['agent:spawned', { agent_id: 'b' }],
      ['agent:completed', { agent_id: 'a', tokens: 150 }],
      ['agent:completed', { agent_id: 'b', success: false, duration: 9 }],
    );
    expect(state.agents).toMatchObject([
      {
        agent_id: 'a',
        role: 'tester',
        task: 't',
        status: 'completed',
        progress: 100,
        tokens: 150,
        cost_usd: 0.5,
        message: 'm',
        started_at: timeOf(1),
        updated_at: timeOf(4),
        ended_at: timeOf(4),
        duration_ms: 3_000,
      },
      { agent_id: 'b', status: 'failed', duration_ms: 9_000 },
    ]);
  });

  test('that report before they are spawned are known from then on', () => {
    expect(stateAfter(['agent:progress', { agent_id: 'a', progress: 1 }]).agents[0]).toMatchObject({
      status: 'running',
      started_at: timeOf(1),
    });
  });
});

describe('files', () => {
  const created = ['file:created', { path: 'a', lines_added: 10 }] as const;
  const modified = ['file:modified', { path: 'a', lines_added: 2, lines_removed: 3, agent_id: 'g' }] as const;
  const deleted = ['file:deleted', { path: 'a' }] as const;

  test.each([
    ['created', [created]],
    ['created', [created, modified]],
    ['modified', [modified, modified]],
    ['deleted', [created, modified, deleted]],
    ['created', [modified, deleted, created]],
    ['modified', [deleted, modified]],
  ])('end as %s (%$)', (change, events) => expect(stateAfter(...events).files).toMatchObject([{ path: 'a', change }]));

  test('count what happened to them', () => {
    expect(stateAfter(created, modified, modified).files).toEqual([
      { path: 'a', change: 'created', lines_added: 14, lines_removed: 6, changes: 3, agent_id: 'g', updated_at: timeOf(3) },
    ]);
  });

  test('with lines beyond all numbers stay within what JSON can say', () => {
    const huge = ['file:modified', { path: 'a', lines_added: 1.7e308, lines_removed: -1.7e308 }] as const;
    const state = stateAfter(huge, huge, huge);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });
});

describe('decisions', () => {
  const point = [
    'decision:point',
    { decision_id: 'd', question: 'Which?', options: ['A', { id: 'b', label: 'B', recommended: true }] },
  ] as const;

  test('are open with their options until the first answer', () => {
    const state = stateAfter(point);
    expect(state.decisions).toMatchObject([
      {
        decision_id: 'd',
        question: 'Which?',
        status: 'open',
        choice: null,
        default: null,
        deadline: null,
        asked_at: timeOf(1),
        options: [
          { id: 'A', label: 'A', description: null, recommended: false },
          { id: 'b', label: 'B', description: null, recommended: true },
        ],
      },
    ]);
  });

  test('are made by the first answer; later ones, and the question again, change nothing', () => {
    const made = (choice: string, made_by: string) => ['decision:made', { decision_id: 'd', choice, made_by, comment: 'c' }] as const;
    const state = stateAfter(point, made('A', 'ana'), made('b', 'ben'), point);
    expect(state.decisions).toMatchObject([{ status: 'made', choice: 'A', made_by: 'ana', made_at: timeOf(2), comment: 'c' }]);
  });

  test('have a deadline only with both a default and a time', () => {
    const asked = (more: object) => stateAfter(['decision:point', { ...point[1], ...more }]).decisions[0];
    expect(asked({ timeout_ms: 5_000, default: 'A' })).toMatchObject({ deadline: timeOf(6), default: 'A' });
    expect(asked({ timeout_ms: 5_000 })).toMatchObject({ deadline: null });
    expect(asked({ default: 'A' })).toMatchObject({ deadline: null });
    expect(asked({ timeout_ms: 1e300, default: 'A' })).toMatchObject({ deadline: null });
  });

  test('that nobody asked are not made', () => {
    expect(stateAfter(['decision:made', { decision_id: 'x', choice: 'A' }]).decisions).toEqual([]);
  });

  test('without any option that makes sense are left out', () => {
    expect(stateAfter(['decision:point', { decision_id: 'd', question: 'q', options: [5, null, '', {}] }]).decisions).toEqual([]);
  });
});

describe('validations', () => {
  const started = ['validation:started', { check_name: 'lint', command: 'npm run lint' }] as const;

  test('run, give lines, and pass or fail', () => {
    const state = stateAfter(
      started,
      ['validation:output', { line: 'one' }],
      ['validation:output', { check_name: 'lint', line: 'two', type: 'stderr' }],
      ['validation:result', { check_name: 'lint', success: false, message: 'm', exit_code: 2 }],
    );
    expect(state.validations).toEqual([
      {
        check_name: 'lint',
        status: 'failed',
        command: 'npm run lint',
        message: 'm',
        exit_code: 2,
        duration_ms: 3_000,
        started_at: timeOf(1),
        ended_at: timeOf(4),
        lines: [
          { stream: 'stdout', line: 'one' },
          { stream: 'stderr', line: 'two' },
        ],
      },
    ]);
    expect(stateAfter(started, ['validation:result', { check_name: 'lint', success: true }]).validations[0]?.status).toBe('passed');
  });

  test('started again begin anew', () => {
    const state = stateAfter(
      started,
      ['validation:output', { line: 'old' }],
      ['validation:result', { check_name: 'lint', success: true }],
      started,
    );
    expect(state.validations).toMatchObject([{ status: 'running', lines: [], ended_at: null }]);
  });

  test('keep their last lines', () => {
    const lines = Array.from({ length: 50 }, (_, at) => ['validation:output', { line: `line ${at}` }] as const);
    const kept = stateAfter(started, ...lines).validations[0]?.lines.map(({ line }) => line);
    expect(kept).toEqual(Array.from({ length: foldLimits.validationLines }, (_, at) => `line ${50 - foldLimits.validationLines + at}`));
  });

  test('have no line that belongs to none', () => {
    expect(stateAfter(['validation:output', { line: 'x' }]).validations).toEqual([]);
  });
});

test('checkpoints say when and how much, a repeated one is replaced', () => {
  const state = stateAfter(
    ['checkpoint:created', { checkpoint_id: 'c1', label: 'one', step: 1, files: ['a', 'b'] }],
    ['checkpoint:created', { checkpoint_id: 'c2', files: 7 }],
    ['checkpoint:created', { checkpoint_id: 'c1', label: 'again' }],
  );
  expect(state.checkpoints).toEqual([
    { checkpoint_id: 'c1', label: 'again', step: null, files: null, created_at: timeOf(3), seq: 3 },
    { checkpoint_id: 'c2', label: null, step: null, files: 7, created_at: timeOf(2), seq: 2 },
  ]);
});

describe('commands', () => {
  const step = (status: string, more: object = {}) => [`command:${status}`, { command_id: 'k', command_type: 'INJECT', ...more }] as const;

  test('go from queued over delivered to applied', () => {
    const state = stateAfter(
      step('queued', { by: 'ana', parameters: { skill_name: 's' } }),
      step('delivered', { delivered_to: 'o1' }),
      step('applied', { result: { at: 1 }, acknowledged_by: 'o1' }),
    );
    expect(state.commands).toEqual([
      {
        command_id: 'k',
        command_type: 'INJECT',
        status: 'applied',
        by: 'ana',
        parameters: { skill_name: 's' },
        result: { at: 1 },
        error: null,
        acknowledged_by: 'o1',
        delivered_to: 'o1',
        for_instance: null,
        offered_to: null,
        resend_of: null,
        cancelled_by: null,
        created_at: timeOf(1),
        updated_at: timeOf(3),
      },
    ]);
  });

  test.each(['applied', 'failed', 'rejected', 'expired', 'cancelled'])('never leave %s', (final) => {
    for (const later of ['queued', 'delivered', 'applied', 'failed']) {
      expect(stateAfter(step('queued'), step(final), step(later)).commands).toMatchObject([{ status: final, updated_at: timeOf(2) }]);
    }
  });

  test('of an unknown type are left out', () => {
    expect(stateAfter(['command:queued', { command_id: 'k', command_type: 'DANCE' }]).commands).toEqual([]);
  });

  test('keep their parameters whole until they end', () => {
    const parameters = { text: 'x'.repeat(20_000) };
    expect(stateAfter(step('queued', { parameters })).commands[0]?.parameters).toEqual(parameters);
    const ended = stateAfter(step('queued', { parameters }), step('applied')).commands[0];
    expect(JSON.stringify(ended?.parameters).length).toBeLessThan(2 * foldLimits.valueChars);
  });
});

describe('the orchestrator', () => {
  const attached = (instance_id: string) => ['orchestrator:attached', { instance_id, capabilities: ['HALT'] }] as const;

  test('attaches, is lost, and the status stays', () => {
    const state = stateAfter(['execution:started'], attached('o1'), ['orchestrator:detached', { instance_id: 'o1', reason: 'gone' }]);
    expect(state.status).toBe('running');
    const lease = { server: null, term: 2 };
    expect(state.orchestrator).toEqual({ attached: false, instance_id: 'o1', capabilities: ['HALT'], last_seen: timeOf(3), lease });
  });

  test('that was superseded does not end its successor', () => {
    const state = stateAfter(attached('o1'), attached('o2'), ['orchestrator:detached', { instance_id: 'o1' }]);
    expect(state.orchestrator).toMatchObject({ attached: true, instance_id: 'o2' });
  });

  test('keeps of its capabilities the texts', () => {
    const capabilities = ['HALT', 5, null, { toString: 1 }, ['x'], 'x'.repeat(500)];
    const kept = stateAfter(['orchestrator:attached', { capabilities }]).orchestrator?.capabilities;
    expect(kept).toEqual(['HALT', `${'x'.repeat(127)}…`]);
  });
});

describe('bounds', () => {
  const many = (count: number, make: (at: number) => readonly [string, Record<string, unknown>]) =>
    stateAfter(...Array.from({ length: count }, (_, at) => make(at)));

  test.each([
    ['skills', (at: number) => ['skill:completed', { skill_name: `n${at}` }] as const],
    ['agents', (at: number) => ['agent:completed', { agent_id: `n${at}` }] as const],
    ['files', (at: number) => ['file:created', { path: `n${at}` }] as const],
    ['decisions', (at: number) => ['decision:point', { decision_id: `n${at}`, question: 'q', options: ['A'] }] as const],
    ['validations', (at: number) => ['validation:result', { check_name: `n${at}`, success: true }] as const],
    ['checkpoints', (at: number) => ['checkpoint:created', { checkpoint_id: `n${at}` }] as const],
    ['commands', (at: number) => ['command:applied', { command_id: `n${at}`, command_type: 'HALT' }] as const],
  ] as const)('%s let go of the oldest and count them', (list, make) => {
    const state = many(foldLimits[list] + 7, make);
    expect(state[list]).toHaveLength(foldLimits[list]);
    expect(state.let_go).toEqual({
      skills: 0,
      agents: 0,
      files: 0,
      decisions: 0,
      validations: 0,
      checkpoints: 0,
      commands: 0,
      [list]: 7,
    });
    expect(JSON.stringify(state[list][0])).toContain('n7"');
    expect(JSON.stringify(state[list].at(-1))).toContain(`n${foldLimits[list] + 6}"`);
  });

  test('what is still open is kept before what is over', () => {
    const state = many(foldLimits.commands + 5, (at) => [
      at < 3 ? 'command:queued' : 'command:applied',
      { command_id: `n${at}`, command_type: 'HALT' },
    ]);
    expect(state.commands.slice(0, 4).map(({ command_id }) => command_id)).toEqual(['n0', 'n1', 'n2', 'n8']);
  });

  test('skills that were let go still count in the usage, which knows so many names', () => {
    const state = many(foldLimits.skills * 2, (at) => ['skill:completed', { skill_name: `n${at % 2}`, skill_id: `i${at}` }]);
    expect(state.skill_usage.map(({ completed }) => completed)).toEqual([foldLimits.skills, foldLimits.skills]);
    expect(many(foldLimits.skillUsage + 50, (at) => ['skill:started', { skill_name: `n${at}` }]).skill_usage).toHaveLength(
      foldLimits.skillUsage,
    );
  });

  test('long texts and large values are cut', () => {
    const state = stateAfter(
      ['execution:started', { task: 'x'.repeat(10_000) }],
      ['execution:completed', { result: { list: Array.from({ length: 5_000 }, (_, at) => at) } }],
    );
    expect(state.task).toBe(`${'x'.repeat(foldLimits.textChars - 1)}…`);
    expect(state.result).toBeTypeOf('string');
    expect(state.result).toHaveLength(foldLimits.valueChars);
  });
});

test('what analytics are made of stays small whatever happens, and loses no end: older days tell no names, lengths near each other are one', () => {
  let state = createdState();
  const at = (day: number) => `2026-01-0${day}T00:00:00.000Z`;
  for (let day = 1; day <= 7; day++)
    for (let n = 0; n < 30 * 80; n++)
      for (const type of ['skill:started', 'skill:completed']) {
        const data = { skill_name: `n${n % 30}`, duration: 1.03 ** Math.floor(n / 30) };
        state = fold(state, { session_id: 's', seq: state.seq + 1, id: `e${state.seq}`, type, timestamp: at(day), data });
      }
  const { days } = state.rollup;
  expect(JSON.stringify(days).length).toBeLessThan(200_000);
  expect(days.map(({ skills }) => skills.reduce((sum, { completed }) => sum + completed, 0))).toEqual(Array(7).fill(2_400));
  expect([days[0]?.skills.map(({ name }) => name), days[6]?.skills.length]).toEqual([['(others)'], 30]);
  const sums = new LengthSums();
  for (const { lengths } of days[6]?.skills ?? []) sums.add(lengths);
  const exact = 1_000 * 1.03 ** 75;
  expect(Math.abs((sums.quantile(0.95) ?? 0) / exact - 1)).toBeLessThan(0.05);
});

test('a question that takes several answers takes options with commas between them, and no others', () => {
  const asked = (multiple: boolean) => ['decision:point', { decision_id: 'd', question: '?', options: ['a', 'b', 'c'], multiple }] as const;
  const chosen = (multiple: boolean, choice: string) =>
    stateAfter(asked(multiple), ['decision:made', { decision_id: 'd', choice }]).decisions[0];
  expect(chosen(true, 'a, c')).toMatchObject({ status: 'made', choice: 'a, c' });
  expect(chosen(true, 'b')).toMatchObject({ status: 'made', choice: 'b' });
  expect(chosen(true, 'a,x')).toMatchObject({ status: 'open', ignored_choice: 'a,x' });
  expect(chosen(false, 'a,c')).toMatchObject({ status: 'open', ignored_choice: 'a,c' });
});
