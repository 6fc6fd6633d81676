import type { Answer } from '../answer.ts';
import type { Signal, SignalOf } from '../signal.ts';
import { allowingRules } from './permission-rules.ts';

type Body = Record<string, unknown>;

/** The body of the answer to a hook of Claude Code: nothing but the fields that this event knows. Empty: go on as if nobody had been asked. */
export function writeAnswer(signal: Signal, answer: Answer): Body {
  switch (answer.kind) {
    case 'nothing':
      return {};
    case 'context':
      return specific(signal, { additionalContext: answer.text });
    case 'deny':
      return signal.event === 'PermissionRequest'
        ? permission(signal, { behavior: 'deny', message: answer.reason })
        : specific(signal, { permissionDecision: 'deny', permissionDecisionReason: answer.reason });
    case 'answers':
      return signal.kind === 'question'
        ? allowed(signal, { ...objectOf(signal.tool.input), answers: answersOf(signal, answer.answers) })
        : {};
    case 'allow':
      return permission(signal, { behavior: 'allow', ...(answer.isAlways ? alwaysOf(signal) : {}) });
    case 'plan':
      if (signal.kind !== 'plan') return {};
      if (answer.isApproved) return allowed(signal, objectOf(signal.tool.input));
      return writeAnswer(signal, { kind: 'deny', reason: answer.reason ?? 'The plan was not approved' });
    case 'go-on':
      return { decision: 'block', reason: answer.instructions };
    case 'refuse-prompt':
      return { decision: 'block', reason: answer.reason };
  }
}

/** Lets a call happen with this input, whichever of the two events asks. */
function allowed(signal: Signal, updatedInput: Body): Body {
  return signal.event === 'PermissionRequest'
    ? permission(signal, { behavior: 'allow', updatedInput })
    : specific(signal, { permissionDecision: 'allow', updatedInput });
}

function permission(signal: Signal, decision: Body): Body {
  return specific(signal, { decision });
}

function specific({ event }: Signal, fields: Body): Body {
  return { hookSpecificOutput: { hookEventName: event, ...fields } };
}

/** By the text of each question; of several labels Claude Code takes one text with commas. */
function answersOf({ questions }: SignalOf<'question'>, answers: readonly (readonly string[])[]): Body {
  return Object.fromEntries(questions.map(({ question }, index) => [question, (answers[index] ?? []).join(', ')]));
}

function alwaysOf({ payload }: Signal): Body {
  const suggestions = payload['permission_suggestions'];
  return { updatedPermissions: allowingRules(Array.isArray(suggestions) ? suggestions : []) };
}

function objectOf(value: unknown): Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Body) : {};
}
