import { takes, type Adapter, type HookEvent } from '../adapter.ts';
import type { Answer } from '../answer.ts';
import type { Signal } from '../signal.ts';
import { parseSignal } from './parse-signal.ts';

const now: HookEvent = { holdMs: 0 };
const held: HookEvent = { holdMs: 240_000 };

/** The Gemini CLI by its hooks, as of version 0.61.0. Its PreCompress says nothing: it comes before every request to the model. */
export const geminiAdapter: Adapter = {
  agent: 'gemini',
  events: {
    SessionStart: now,
    BeforeAgent: held,
    BeforeTool: held,
    AfterTool: now,
    AfterAgent: now,
    Notification: now,
    SessionEnd: now,
  },
  abilities: {
    commands: { HALT: true, RESUME: true, REDIRECT: true, INJECT: true, ROLLBACK: true },
    agentTools: ['invoke_agent'],
    answers: {
      'session-started': ['context'],
      prompt: ['context', 'refuse-prompt'],
      'tool-starting': ['deny'],
      'tool-ended': ['context'],
      'turn-ended': ['go-on'],
    },
  },
  parse: parseSignal,
  write: (signal, answer) => (takes(geminiAdapter, signal, answer.kind) ? writeAnswer(signal, answer) : {}),
};

function writeAnswer({ event }: Signal, answer: Answer): Record<string, unknown> {
  switch (answer.kind) {
    case 'context':
      return { hookSpecificOutput: { hookEventName: event, additionalContext: answer.text } };
    case 'deny':
    case 'refuse-prompt':
      return { decision: 'deny', reason: answer.reason };
    case 'go-on':
      return { decision: 'deny', reason: answer.instructions };
    default:
      return {};
  }
}
