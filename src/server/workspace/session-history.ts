import { accessLimits } from '../../core/protocol/limits.ts';
import { sessionNotFound } from '../access/policy.ts';
import type { Principal } from '../access/principal.ts';
import type { WorkspaceParts } from './workspace-parts.ts';
import { firstAvailable, type SessionHistory, type StateAnswer } from './workspace-requests.ts';

/** The history of a session, for a principal that may read it. @throws ShannonDashError NOT_FOUND */
export function historyOf(
  { store, journal, limits }: Pick<WorkspaceParts, 'store' | 'journal' | 'limits'>,
  principal: Principal,
  sessionId: string,
  limit: number,
): SessionHistory {
  const session = store.get(sessionId);
  if (session === undefined) throw sessionNotFound(sessionId);
  const { epoch, seq, imported } = session.head;
  const close = limits.begin(principal, Math.min(limit, seq) > accessLimits.cheapRows);
  return {
    epoch,
    seq,
    isImported: imported !== undefined,
    cut: () => session.head.cut ?? 0,
    read: (range) => journal.read(sessionId, range),
    close,
  };
}

/** The fold now, or at an earlier event. @throws ShannonDashError NOT_FOUND, GONE */
export async function stateOf(
  { store, ledger, limits }: Pick<WorkspaceParts, 'store' | 'ledger' | 'limits'>,
  principal: Principal,
  sessionId: string,
  at: number | undefined,
): Promise<StateAnswer> {
  await ledger.ready(sessionId);
  const end = limits.begin(principal, at !== undefined);
  const state = await (at === undefined ? store.load(sessionId) : store.at(sessionId, at)).finally(end);
  const head = store.get(sessionId)?.head;
  if (state === undefined || head === undefined) throw sessionNotFound(sessionId);
  return { ...state, epoch: head.epoch, ...firstAvailable(head) };
}

/** Copies the journal, as a dear read. @throws ShannonDashError LIMIT_REACHED, and what the journal refuses */
export async function backupOf(
  { journal, limits }: Pick<WorkspaceParts, 'journal' | 'limits'>,
  principal: Principal,
): Promise<{ path: string; close: () => void }> {
  const close = limits.begin(principal, true);
  try {
    return { path: await journal.backup(), close };
  } catch (error) {
    close();
    throw error;
  }
}
