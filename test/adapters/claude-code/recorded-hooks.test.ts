import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { claudeCodeAdapter } from '../../../src/adapters/claude-code/claude-code-adapter.ts';
import { parseEventInput } from '../../../src/core/protocol/event.ts';
import { listenTo } from './listening.ts';

/** Every hook of one session of Claude Code 2.1.332, as it came: `npm run test:agents` runs the agent itself. */
const recorded = JSON.parse(readFileSync(new URL('./recorded-hooks.json', import.meta.url), 'utf8')) as Record<string, unknown>[];

test('a whole session becomes events that the protocol takes, in this order', () => {
  const { told, state } = listenTo(recorded);
  for (const [index, event] of told.entries()) parseEventInput(event, `events[${index}]`);
  const lines = told.map(({ type, data }) => {
    const { tool_name, agent_id, message, text, path, reason, choice, inferred, error } = data as Record<string, string | undefined>;
    const words = [agent_id, tool_name, path, choice, reason, message ?? text, error, inferred === undefined ? undefined : 'inferred'];
    return [type, ...words.filter((each) => each !== undefined && each !== null)].join(' ').slice(0, 120);
  });
  expect(lines).toMatchSnapshot();
  expect(state).toMatchObject({
    status: 'failed',
    error: 'unknown: API Error: 400 scripted',
    task: 'please go',
    folder: 'shop',
    model: 'claude-sonnet-4-5',
  });
  expect(state.tools.filter(({ status }) => status === 'running')).toEqual([]);
  expect(state.decisions.map(({ status, choice, made_by }) => [status, choice, made_by])).toEqual([
    ['made', 'allow', 'terminal'],
    ['made', 'allow', 'terminal'],
    ['made', 'terminal', 'terminal'],
  ]);
  expect(state.files).toMatchObject([{ path: '/home/dev/shop/a.txt', change: 'created', lines_added: 4, lines_removed: 1 }]);
  expect(state.agents.map(({ agent_id, status, role }) => [agent_id, status, role])).toEqual([
    ['a6f576a3e6a2ef235', 'completed', 'general-purpose'],
  ]);
});

test('every event that is registered has a kind of its own', () => {
  const kinds = Object.keys(claudeCodeAdapter.events).map(
    (hook_event_name) =>
      claudeCodeAdapter.parse({ session_id: 's', hook_event_name, agent_id: hook_event_name.startsWith('Subagent') ? 'a' : undefined })
        .kind,
  );
  expect(kinds).not.toContain('other');
});

test('what it does not know, or what has another form, is tolerated; what names no session is not', () => {
  const parse = (input: unknown) => claudeCodeAdapter.parse(input);
  expect(parse({ session_id: 's', hook_event_name: 'NewInTheFuture', anything: [1] })).toMatchObject({ kind: 'other', session: 's' });
  const odd = { session_id: 's', hook_event_name: 'Stop', background_tasks: 'many', last_assistant_message: { text: 'no' }, cwd: 7 };
  expect(parse(odd)).toMatchObject({ kind: 'turn-ended', background: null, message: null, cwd: null });
  expect(parse({ session_id: 's', hook_event_name: 'Stop', background_tasks: [{ id: 1 }, null] })).toMatchObject({ background: null });
  expect(parse({ session_id: 's', hook_event_name: 'PostToolUse', tool_name: 'Write', tool_response: 'a text' })).toMatchObject({
    files: [],
  });
  for (const wrong of [null, [], 'a', {}, { session_id: 's' }, { session_id: '', hook_event_name: 'Stop' }]) {
    expect(() => parse(wrong)).toThrow(expect.objectContaining({ code: 'INVALID' }));
  }
});
