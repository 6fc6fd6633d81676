import { describe, expect, test } from 'vitest';
import { adapters } from '../../src/adapters/adapters.ts';
import type { Answer } from '../../src/adapters/answer.ts';
import { openCodePlugin } from '../../src/adapters/opencode/plugin-text.ts';
import { codingAgents, type CodingAgent } from '../../src/adapters/coding-agents.ts';
import type { Signal } from '../../src/adapters/signal.ts';
import { inWords, recordedHooks, recordedScenes, recordedSignals } from './recorded-hooks.ts';

const answers: Record<Answer['kind'], Answer> = {
  nothing: { kind: 'nothing' },
  context: { kind: 'context', text: 'TEXT' },
  deny: { kind: 'deny', reason: 'WHY' },
  answers: { kind: 'answers', answers: [['Blue']] },
  allow: { kind: 'allow', isAlways: false },
  plan: { kind: 'plan', isApproved: true, reason: null },
  'go-on': { kind: 'go-on', instructions: 'NEXT' },
  'refuse-prompt': { kind: 'refuse-prompt', reason: 'WHY' },
};

/** What an agent is answered at the first signal of a kind in its recorded scenes. */
function written(agent: CodingAgent, kind: Signal['kind'], answer: Answer): Record<string, unknown> {
  const signal = recordedScenes(agent)
    .flatMap((scene) => recordedSignals(agent, scene))
    .findLast((each) => each.kind === kind);
  if (signal === undefined) throw new Error(`${agent} has said no ${kind}`);
  return adapters[agent].write(signal, answer);
}

const proven = codingAgents.filter((agent) => agent !== 'cursor');

describe.each(proven)('%s', (agent) => {
  test('every event that was recorded is known by its name, or is one that tells nothing', () => {
    const known = Object.keys(adapters[agent].events);
    const unknown = recordedScenes(agent)
      .flatMap((scene) => recordedSignals(agent, scene))
      .filter(({ event, kind }) => !known.includes(event) && kind !== 'other');
    expect(unknown.map(({ event }) => event)).toEqual([]);
  });

  test('an answer that a signal does not take becomes one of nothing', () => {
    const adapter = adapters[agent];
    const signals = recordedScenes(agent).flatMap((scene) => recordedSignals(agent, scene));
    for (const signal of signals) {
      for (const answer of Object.values(answers)) {
        if (adapter.abilities.answers[signal.kind]?.includes(answer.kind) !== true && agent !== 'claude-code')
          expect(adapter.write(signal, answer)).toEqual({});
      }
    }
  });

  test.each([{}, { session_id: 'a' }, { hook_event_name: 'Stop' }, { event: 'x' }, [], null, 'text'])('%j is no hook of it', (input) => {
    expect(() => adapters[agent].parse(input)).toThrow(expect.objectContaining({ code: 'INVALID' }) as Error);
  });
});

describe('codex', () => {
  test('its work', () => {
    expect(recordedSignals('codex', 'work').map(inWords)).toEqual([
      'session-started',
      'prompt',
      'tool-starting Bash',
      'tool-starting Bash',
      'tool-ended Bash',
      'tool-ended Bash',
      'tool-starting apply_patch',
      'tool-ended apply_patch',
      'tool-starting apply_patch',
      'tool-ended apply_patch',
      // The patch that did not fit has no end.
      'tool-starting apply_patch',
      'tool-starting Bash',
      'tool-ended Bash',
      'turn-ended',
      'session-ended',
    ]);
  });

  test('the files of a patch', () => {
    const files = recordedSignals('codex', 'work').flatMap((signal) => (signal.kind === 'tool-ended' ? signal.files : []));
    expect(files).toEqual([
      { path: 'a.txt', change: 'created', linesAdded: 2, linesRemoved: 0 },
      { path: 'a.txt', change: 'modified', linesAdded: 1, linesRemoved: 1 },
    ]);
  });

  test('a sub-agent and its calls', () => {
    const signals = recordedSignals('codex', 'sub-agent');
    expect(signals.map(inWords)).toEqual(expect.arrayContaining(['agent-started of a sub-agent', 'tool-starting Bash of a sub-agent']));
    expect(signals.find(({ kind }) => kind === 'agent-ended')).toMatchObject({ message: 'Looked.' });
  });

  test('a request for permission names the call as the call itself does, so that both are one', () => {
    const [starting, asked] = recordedSignals('codex', 'permission-and-interrupt-on-terminal').filter((signal) => 'tool' in signal);
    expect(asked).toMatchObject({ kind: 'permission', tool: { name: starting?.tool.name, input: starting?.tool.input } });
  });

  test('a turn that was broken off is over', () => {
    const signals = recordedSignals('codex', 'permission-and-interrupt-on-terminal');
    expect(signals.find(({ event }) => event === 'Interrupt')).toMatchObject({ kind: 'turn-ended', message: null });
  });

  test('answers have no field that Codex does not know: it passes over the whole answer then', () => {
    expect(written('codex', 'tool-starting', answers.deny)).toEqual({
      hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision: 'deny', permissionDecisionReason: 'WHY' },
    });
    expect(written('codex', 'tool-ended', answers.context)).toEqual({
      hookSpecificOutput: { hookEventName: 'PostToolUse', additionalContext: 'TEXT' },
    });
    expect(written('codex', 'permission', { kind: 'allow', isAlways: true })).toEqual({
      hookSpecificOutput: { hookEventName: 'PermissionRequest', decision: { behavior: 'allow' } },
    });
    expect(written('codex', 'permission', answers.deny)).toEqual({
      hookSpecificOutput: { hookEventName: 'PermissionRequest', decision: { behavior: 'deny', message: 'WHY' } },
    });
    expect(written('codex', 'turn-ended', answers['go-on'])).toEqual({ decision: 'block', reason: 'NEXT' });
    expect(written('codex', 'prompt', answers['refuse-prompt'])).toEqual({ decision: 'block', reason: 'WHY' });
  });
});

describe('gemini', () => {
  test('its work; what it says before every request to the model is no compacting', () => {
    const told = recordedSignals('gemini', 'work').filter(({ kind }) => kind !== 'other');
    expect(told.map(inWords)).toEqual([
      'session-started',
      'prompt',
      'tool-starting run_shell_command',
      'tool-ended run_shell_command',
      'tool-starting write_file',
      'tool-ended write_file',
      'tool-starting replace',
      'tool-ended replace',
      'tool-starting run_shell_command',
      'tool-ended run_shell_command',
      'tool-starting read_file',
      'tool-failed read_file',
      'turn-ended',
      'session-ended',
    ]);
    const files = told.flatMap((signal) => (signal.kind === 'tool-ended' ? signal.files : []));
    expect(files).toEqual([
      { path: '/home/user/shop/a.txt', change: 'created', linesAdded: 2, linesRemoved: 0 },
      { path: '/home/user/shop/a.txt', change: 'modified', linesAdded: 1, linesRemoved: 1 },
    ]);
  });

  test('a prompt is what the person said, without what a hook had told the model before it', () => {
    const [prompt] = recordedHooks('gemini', 'work').filter((each) => each['hook_event_name'] === 'BeforeAgent');
    expect(prompt?.['prompt']).toContain('<hook_context>');
    expect(recordedSignals('gemini', 'work').find(({ kind }) => kind === 'prompt')).toMatchObject({ text: 'MAIN do the work' });
  });

  test('it waits for a permission', () => {
    expect(recordedSignals('gemini', 'permission-on-terminal').find(({ kind }) => kind === 'waiting')).toMatchObject({
      reason: 'permission',
    });
  });

  test('answers', () => {
    expect(written('gemini', 'tool-starting', answers.deny)).toEqual({ decision: 'deny', reason: 'WHY' });
    expect(written('gemini', 'turn-ended', answers['go-on'])).toEqual({ decision: 'deny', reason: 'NEXT' });
    expect(written('gemini', 'tool-ended', answers.context)).toEqual({
      hookSpecificOutput: { hookEventName: 'AfterTool', additionalContext: 'TEXT' },
    });
  });
});

describe('opencode', () => {
  test('its work', () => {
    const told = recordedSignals('opencode', 'work').filter(({ kind }) => kind !== 'usage');
    expect(told.map(inWords)).toEqual([
      'session-started',
      'prompt',
      'tool-starting bash',
      'tool-starting bash',
      'tool-ended bash',
      'tool-ended bash',
      'tool-starting write',
      'tool-ended write',
      'tool-starting read',
      'tool-ended read',
      'tool-starting edit',
      'tool-starting bash',
      'tool-ended edit',
      'tool-ended bash',
      'tool-starting edit',
      'tool-failed edit',
      'turn-ended',
    ]);
    expect(told.flatMap((signal) => (signal.kind === 'tool-ended' ? signal.files : []))).toEqual([
      { path: '/home/user/shop/a.txt', change: 'created', linesAdded: 2, linesRemoved: 0 },
      { path: '/home/user/shop/a.txt', change: 'modified', linesAdded: 1, linesRemoved: 1 },
    ]);
    expect(told.at(-1)).toMatchObject({ message: 'All done.' });
  });

  test('each answer of the model is used once', () => {
    const used = recordedSignals('opencode', 'work').filter(({ kind }) => kind === 'usage');
    expect(used).toHaveLength(6);
    expect(used[0]).toMatchObject({ inputTokens: 100, outputTokens: 20, cacheReadTokens: 5, cacheWriteTokens: 10, costUsd: 0 });
  });

  test('a sub-agent, which is a session of its own to OpenCode, is one of the session that a person sees', () => {
    const signals = recordedSignals('opencode', 'sub-agent');
    expect(new Set(signals.map(({ session }) => session)).size).toBe(1);
    expect(signals.map(inWords)).toContain('tool-starting bash of a sub-agent');
    expect(signals.find(({ kind }) => kind === 'agent-ended')).toMatchObject({ message: 'Looked.' });
  });

  test('requests to a person, and what they are answered', () => {
    const adapter = adapters.opencode;
    const common = { session: 'ses_1', agent: null, directory: '/srv', callID: 'call_1' };
    const permission = {
      id: 'per_1',
      sessionID: 'ses_1',
      permission: 'bash',
      patterns: ['ls'],
      metadata: { command: 'ls' },
      always: ['ls *'],
    };
    const asked = adapter.parse({ ...common, event: 'permission.asked', request: permission });
    expect(asked).toMatchObject({ kind: 'permission', tool: { id: 'call_1', name: 'bash', input: { command: 'ls' } }, always: 'ls *' });
    expect(adapter.write(asked, { kind: 'allow', isAlways: true })).toEqual({ permission: { reply: 'always' } });
    expect(adapter.write(asked, answers.allow)).toEqual({ permission: { reply: 'once' } });
    expect(adapter.write(asked, answers.deny)).toEqual({ permission: { reply: 'reject', message: 'WHY' } });
    const questions = [{ question: 'Which?', header: 'Colour', options: [{ label: 'Blue', description: 'cold' }], multiple: true }];
    const question = adapter.parse({ ...common, event: 'question.asked', request: { id: 'que_1', sessionID: 'ses_1', questions } });
    expect(question).toMatchObject({ kind: 'question', questions: [{ question: 'Which?', isMultiple: true }] });
    expect(adapter.write(question, answers.answers)).toEqual({ answers: [['Blue']] });
    expect(adapter.write(question, answers.deny)).toEqual({ reject: true });
  });

  test('the plugin is one file that runs by itself, and passes each event on', async () => {
    const text = openCodePlugin({ url: 'http://127.0.0.1:9/api/hooks/opencode', isStrict: false });
    const { ShannonDash } = (await import(`data:text/javascript,${encodeURIComponent(text)}`)) as {
      ShannonDash: (context: { directory: string }) => Promise<Record<string, unknown>>;
    };
    expect(Object.keys(await ShannonDash({ directory: '/' })).toSorted()).toEqual([
      'chat.message',
      'event',
      'tool.execute.after',
      'tool.execute.before',
    ]);
    for (const event of Object.keys(adapters.opencode.events)) expect(text).toContain(`'${event}'`);
  });
});

describe('cursor, which was not run here', () => {
  const adapter = adapters.cursor;
  const common = { conversation_id: 'conv', generation_id: 'gen', workspace_roots: ['/srv'], model: 'm' };

  test('its events', () => {
    const said = [
      { hook_event_name: 'beforeSubmitPrompt', prompt: 'do it' },
      { hook_event_name: 'preToolUse', tool_name: 'Shell', tool_input: { command: 'ls' }, tool_use_id: '1' },
      { hook_event_name: 'afterFileEdit', file_path: '/srv/a', edits: [{ old_string: 'a', new_string: 'b\nc' }] },
      { hook_event_name: 'stop', status: 'completed' },
      { hook_event_name: 'stop', status: 'error' },
      { hook_event_name: 'newer' },
    ].map((each) => adapter.parse({ ...common, ...each }));
    expect(said.map(inWords)).toEqual(['prompt', 'tool-starting Shell', 'files-changed', 'turn-ended', 'turn-failed', 'other']);
    expect(said[2]).toMatchObject({ cwd: '/srv', files: [{ linesAdded: 2, linesRemoved: 1 }] });
    expect(adapter.write(said[1] as Signal, answers.deny)).toEqual({ permission: 'deny', user_message: 'WHY', agent_message: 'WHY' });
    expect(adapter.write(said[0] as Signal, answers['refuse-prompt'])).toEqual({ continue: false, user_message: 'WHY' });
    expect(adapter.write(said[3] as Signal, answers['go-on'])).toEqual({ followup_message: 'NEXT' });
    expect(adapter.write(said[1] as Signal, answers.context)).toEqual({});
  });
});
