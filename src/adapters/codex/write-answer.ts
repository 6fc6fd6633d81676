import type { Answer } from '../answer.ts';
import type { Signal } from '../signal.ts';

/** The body of the answer to a hook of Codex. A field that Codex does not know makes it pass over the whole answer, a denial too. */
export function writeAnswer({ event }: Signal, answer: Answer): Record<string, unknown> {
  const specific = (fields: object) => ({ hookSpecificOutput: { hookEventName: event, ...fields } });
  switch (answer.kind) {
    case 'context':
      return specific({ additionalContext: answer.text });
    case 'deny':
      return event === 'PermissionRequest'
        ? specific({ decision: { behavior: 'deny', message: answer.reason } })
        : specific({ permissionDecision: 'deny', permissionDecisionReason: answer.reason });
    case 'allow':
      return specific({ decision: { behavior: 'allow' } });
    case 'go-on':
      return { decision: 'block', reason: answer.instructions };
    case 'refuse-prompt':
      return { decision: 'block', reason: answer.reason };
    default:
      return {};
  }
}
