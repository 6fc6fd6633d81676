import type { Adapter, HookEvent } from '../adapter.ts';
import { parseSignal } from './parse-signal.ts';
import { writeAnswer } from './write-answer.ts';

const now: HookEvent = { holdMs: 0 };
const held: HookEvent = { holdMs: 55 * 60_000 };

/** Claude Code by its hooks, as of version 2.1.332. */
export const claudeCodeAdapter: Adapter = {
  agent: 'claude-code',
  events: {
    SessionStart: { holdMs: 0, isCommandOnly: true },
    UserPromptSubmit: held,
    PreToolUse: held,
    PermissionRequest: held,
    PermissionDenied: now,
    PostToolUse: now,
    PostToolUseFailure: now,
    PostToolBatch: now,
    SubagentStart: now,
    SubagentStop: now,
    Notification: now,
    PreCompact: now,
    PostCompact: now,
    PostModelSwitch: now,
    CwdChanged: now,
    Stop: now,
    StopFailure: now,
    SessionEnd: now,
  },
  abilities: {
    commands: { HALT: true, RESUME: true, REDIRECT: true, INJECT: true, ROLLBACK: true },
    agentTools: ['Agent', 'Task'],
    readingTools: [
      'Read',
      'Glob',
      'Grep',
      'LS',
      'WebFetch',
      'WebSearch',
      'ToolSearch',
      'AskUserQuestion',
      'EnterPlanMode',
      'ExitPlanMode',
      'Agent',
      'Task',
    ],
    answers: {
      'session-started': ['context'],
      prompt: ['context', 'refuse-prompt'],
      'tool-starting': ['context', 'deny'],
      'tool-ended': ['context'],
      'tool-failed': ['context'],
      'calls-over': ['context'],
      question: ['answers', 'deny'],
      plan: ['plan', 'deny'],
      permission: ['allow', 'deny'],
      'agent-started': ['context'],
      'agent-ended': ['go-on'],
      'turn-ended': ['go-on'],
    },
  },
  parse: parseSignal,
  write: writeAnswer,
};
