import { takes, type Adapter, type HookEvent } from '../adapter.ts';
import type { Answer } from '../answer.ts';
import { parseSignal } from './parse-signal.ts';

const now: HookEvent = { holdMs: 0 };
const held: HookEvent = { holdMs: 240_000 };

/** OpenCode by a plugin of ours, as of version 1.18.33. The events are the plugin's. */
export const opencodeAdapter: Adapter = {
  agent: 'opencode',
  events: {
    'session.created': now,
    'chat.message': held,
    'tool.execute.before': held,
    'tool.execute.after': now,
    'tool.failed': now,
    'permission.asked': held,
    'question.asked': held,
    'agent.started': now,
    'agent.idle': now,
    'message.completed': now,
    'session.idle': now,
    'session.error': now,
    'session.compacted': now,
  },
  abilities: {
    commands: { HALT: true, RESUME: true, REDIRECT: true, INJECT: true, ROLLBACK: true },
    agentTools: ['task'],
    answers: {
      prompt: ['context', 'refuse-prompt'],
      'tool-starting': ['deny'],
      'tool-ended': ['context'],
      permission: ['allow', 'deny'],
      question: ['answers', 'deny'],
    },
  },
  parse: parseSignal,
  write: (signal, answer) => (takes(opencodeAdapter, signal, answer.kind) ? writeAnswer(signal.kind, answer) : {}),
};

/** What the plugin does with it: it throws a denial, adds a context, and replies to requests with the others. */
function writeAnswer(asked: string, answer: Answer): Record<string, unknown> {
  switch (answer.kind) {
    case 'context':
      return { context: answer.text };
    case 'refuse-prompt':
      return { refuse: answer.reason };
    case 'deny':
      if (asked === 'permission') return { permission: { reply: 'reject', message: answer.reason } };
      return asked === 'question' ? { reject: true } : { deny: answer.reason };
    case 'allow':
      return { permission: { reply: answer.isAlways ? 'always' : 'once' } };
    case 'answers':
      return { answers: answer.answers };
    default:
      return {};
  }
}
