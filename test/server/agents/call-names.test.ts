import { expect, test } from 'vitest';
import { geminiAdapter } from '../../../src/adapters/gemini/gemini-adapter.ts';
import { CallNames } from '../../../src/server/agents/call-names.ts';

/** What the Gemini CLI says of calls, which have no ids; gives the ids that they get. */
function ids(...said: [event: string, command: string][]): (string | null)[] {
  const names = new CallNames();
  return said.map(([hook_event_name, command]) => {
    const payload = { session_id: 's', hook_event_name, tool_name: 'run_shell_command', tool_input: { command }, tool_response: {} };
    const named = names.named(geminiAdapter.parse(payload), geminiAdapter);
    return 'tool' in named ? named.tool.id : null;
  });
}

test('calls without ids that run at once are different calls, and each end is its own', () => {
  const [one, two, endOfTwo, endOfOne] = ids(['BeforeTool', 'a'], ['BeforeTool', 'b'], ['AfterTool', 'b'], ['AfterTool', 'a']);
  expect(one).not.toBe(two);
  expect([endOfOne, endOfTwo]).toEqual([one, two]);
});

test('the same call again is another call; an end is of the newest', () => {
  const [denied, again, end] = ids(['BeforeTool', 'a'], ['BeforeTool', 'a'], ['AfterTool', 'a']);
  expect(denied).not.toBe(again);
  expect(end).toBe(again);
});

test('an end whose beginning was not heard has no id', () => {
  expect(ids(['AfterTool', 'a'])).toEqual([null]);
});
