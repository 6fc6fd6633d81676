import { describe, expect, test } from 'vitest';
import { claudeCodeAdapter } from '../../../src/adapters/claude-code/claude-code-adapter.ts';
import type { Answer } from '../../../src/adapters/answer.ts';

const parse = (input: unknown) => claudeCodeAdapter.parse(input);
const write: typeof claudeCodeAdapter.write = (signal, answer) => claudeCodeAdapter.write(signal, answer);

/** The body of the answer to an event, as it goes over the wire. */
function body(payload: Record<string, unknown>, answer: Answer): string {
  return JSON.stringify(write(parse({ session_id: 's', ...payload }), answer));
}

const call = { tool_name: 'Bash', tool_input: { command: 'npm test' } };
const before = { hook_event_name: 'PreToolUse', tool_use_id: 't', ...call };
const rule = {
  type: 'addRules',
  rules: [{ toolName: 'Bash', ruleContent: 'npm test:*' }],
  behavior: 'allow',
  destination: 'localSettings',
};
const mode = { type: 'setMode', mode: 'acceptEdits', destination: 'session' };
const permission = { hook_event_name: 'PermissionRequest', ...call, permission_suggestions: [rule, mode] };

describe('the answers to Claude Code, byte for byte', () => {
  test('nothing is an empty object', () => {
    expect(body(before, { kind: 'nothing' })).toBe('{}');
  });

  test('of a tool call', () => {
    expect(body(before, { kind: 'deny', reason: 'halted' })).toBe(
      '{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"halted"}}',
    );
    expect(body(before, { kind: 'context', text: 'so it is' })).toBe(
      '{"hookSpecificOutput":{"hookEventName":"PreToolUse","additionalContext":"so it is"}}',
    );
  });

  test('of a permission: once, always by the suggested rule, and not', () => {
    expect(body(permission, { kind: 'allow', isAlways: false })).toBe(
      '{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"allow"}}}',
    );
    expect(body(permission, { kind: 'allow', isAlways: true })).toBe(
      `{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"allow","updatedPermissions":[${JSON.stringify(rule)}]}}}`,
    );
    expect(body(permission, { kind: 'deny', reason: 'no' })).toBe(
      '{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"deny","message":"no"}}}',
    );
  });

  test('another mode, which allows more, is "always" only where nothing else is suggested', () => {
    const modeOnly = {
      ...permission,
      permission_suggestions: [mode, { type: 'setMode', mode: 'bypassPermissions', destination: 'session' }],
    };
    expect(body(modeOnly, { kind: 'allow', isAlways: true })).toContain(`"updatedPermissions":[${JSON.stringify(mode)}]`);
    expect(parse({ session_id: 's', ...permission })).toMatchObject({ always: 'Bash(npm test:*)' });
    expect(parse({ session_id: 's', ...permission, permission_suggestions: [] })).toMatchObject({ always: null });
  });

  test('of a question: every answer by the text of its question, several labels with commas', () => {
    const questions = [
      { question: 'Which color?', header: 'Color', options: [{ label: 'Red', description: 'r' }], multiSelect: false },
      {
        question: 'Which parts?',
        header: 'Parts',
        options: [
          { label: 'Core', description: 'c' },
          { label: 'View', description: 'v' },
        ],
        multiSelect: true,
      },
    ];
    const asked = { hook_event_name: 'PermissionRequest', tool_name: 'AskUserQuestion', tool_input: { questions } };
    expect(body(asked, { kind: 'answers', answers: [['Red'], ['Core', 'View']] })).toBe(
      `{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"allow","updatedInput":{"questions":${JSON.stringify(questions)},"answers":{"Which color?":"Red","Which parts?":"Core, View"}}}}}`,
    );
  });

  test('of a plan', () => {
    const planned = { hook_event_name: 'PermissionRequest', tool_name: 'ExitPlanMode', tool_input: { plan: '1. do it' } };
    expect(body(planned, { kind: 'plan', isApproved: true, reason: null })).toBe(
      '{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"allow","updatedInput":{"plan":"1. do it"}}}}',
    );
    expect(body(planned, { kind: 'plan', isApproved: false, reason: 'tests first' })).toBe(
      '{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"deny","message":"tests first"}}}',
    );
  });

  test('of the end of a turn, and of a prompt', () => {
    expect(body({ hook_event_name: 'Stop' }, { kind: 'go-on', instructions: 'lint too' })).toBe('{"decision":"block","reason":"lint too"}');
    expect(body({ hook_event_name: 'UserPromptSubmit', prompt: 'x' }, { kind: 'refuse-prompt', reason: 'halted' })).toBe(
      '{"decision":"block","reason":"halted"}',
    );
  });
});
