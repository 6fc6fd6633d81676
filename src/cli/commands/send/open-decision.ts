import type { DecisionState } from '../../../core/protocol/session-state.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { Failure } from '../../failure.ts';
import { request } from '../../server-access/server-request.ts';
import type { Settings } from '../../settings/settings.ts';

/**
 * The decision of a session that is meant where none is named: the only one that is open.
 * @throws Failure there is none, there are several, or the choice is missing: it names what there is to choose
 */
export async function openDecision(
  settings: Settings,
  session: string,
  { decision: named, choice }: { decision?: string; choice?: string },
): Promise<string> {
  const { decisions } = await request(settings, 'session', { path: { id: session } });
  const open = decisions.filter(({ status, decision_id }) => status === 'open' && (named === undefined || decision_id === named));
  const [only] = open;
  if (only === undefined) {
    throw new Failure('NOT_FOUND', `${session} has no open decision${named === undefined ? '' : ` ${safeLine(named, 128)}`}`, {
      hints: [`what was decided: shannon-dash sessions show ${session}`],
    });
  }
  if (open.length === 1 && choice !== undefined) return only.decision_id;
  throw new Failure('INVALID', open.length === 1 ? 'DECISION needs --choice' : `${session} has ${open.length} open decisions; name one`, {
    hints: open.flatMap(described),
  });
}

function described({ decision_id, question, options }: DecisionState): string[] {
  return [
    safeLine(question, 300),
    ...options.map(({ id }) => `  shannon-dash send DECISION --decision ${safeLine(decision_id, 128)} --choice ${safeLine(id, 128)}`),
  ];
}
