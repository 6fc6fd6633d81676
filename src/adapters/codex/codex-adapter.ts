import { takes, type Adapter, type HookEvent } from '../adapter.ts';
import { parseSignal } from './parse-signal.ts';
import { writeAnswer } from './write-answer.ts';

const now: HookEvent = { holdMs: 0 };
const held: HookEvent = { holdMs: 240_000 };
/** Its own prompt waits for this hook, so that the person at the terminal cannot answer meanwhile. */
const asking: HookEvent = { holdMs: 30_000 };
/** Codex warns its user where these ask for more. */
const brief: HookEvent = { holdMs: 0, mostMs: 3_000 };

/** Codex by its hooks, as of version 0.171.0. */
export const codexAdapter: Adapter = {
  agent: 'codex',
  events: {
    SessionStart: now,
    UserPromptSubmit: held,
    PreToolUse: held,
    PermissionRequest: asking,
    PostToolUse: now,
    PreCompact: now,
    PostCompact: now,
    SubagentStart: now,
    SubagentStop: now,
    Stop: now,
    Interrupt: brief,
    SessionEnd: brief,
  },
  abilities: {
    commands: { HALT: true, RESUME: true, REDIRECT: true, INJECT: true, ROLLBACK: true },
    agentTools: ['collaborationwait_agent', 'multi_agent_v1wait_agent'],
    answers: {
      'session-started': ['context'],
      prompt: ['context', 'refuse-prompt'],
      'tool-starting': ['context', 'deny'],
      'tool-ended': ['context'],
      permission: ['allow', 'deny'],
      'turn-ended': ['go-on'],
    },
  },
  parse: parseSignal,
  // A turn that a person has broken off is not gone on with.
  write: (signal, answer) => (takes(codexAdapter, signal, answer.kind) && signal.event !== 'Interrupt' ? writeAnswer(signal, answer) : {}),
};
