import { createHash } from 'node:crypto';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { notificationLimits } from '../../core/protocol/limits.ts';
import { notificationOf } from '../../view/notifications/notification.ts';
import { isOver } from '../../view/notifications/told-events.ts';
import type { WorkspaceAccess } from '../workspace/workspace-access.ts';
import type { Target } from './notification-settings.ts';
import type { Reference } from './reference.ts';
import type { Message, ToldEvent } from './targets/message.ts';

/**
 * Says what these events are by the journal and by how their sessions stand now; undefined where there is nothing to tell of them any more.
 * @param baseUrl where the links lead that answer decisions
 */
export async function composeMessage(
  references: readonly Reference[],
  { access, target, letGo, baseUrl }: { access: WorkspaceAccess; target: Target; letGo: number; baseUrl: string | undefined },
): Promise<Message | undefined> {
  const events: ToldEvent[] = [];
  let looked = 0;
  for (const each of references) {
    if (events.length === notificationLimits.events) break;
    looked++;
    const told = await toldEvent(each, access);
    if (told !== undefined) events.push(told);
  }
  const [first] = events;
  if (first === undefined) return undefined;
  const notification = notificationOf(events, events.length + references.length - looked);
  if ('answer_links' in target && target.answer_links && baseUrl !== undefined) {
    for (const told of events) told.answerUrl = await answerUrl(told, access, baseUrl);
  }
  const names = references.map(({ session_id, epoch, seq }) => `${session_id} ${epoch} ${seq}\n`);
  const id = `msg_${createHash('sha256').update(names.join('')).digest('base64url').slice(0, 32)}`;
  return { id, notification, events, letGo };
}

/** Undefined where its session was deleted, or what it asked for is no longer so. */
async function toldEvent({ session_id, epoch, seq }: Reference, access: WorkspaceAccess): Promise<ToldEvent | undefined> {
  try {
    const history = access.history(session_id, 1);
    const [found] = await history.read({ after: seq - 1, through: seq, limit: 1 }).finally(() => history.close());
    const state = await access.state(session_id);
    if (found === undefined || history.epoch !== epoch || isOver(found.event, state)) return undefined;
    return { event: found.event, state, epoch, decision: state.decisions.find((each) => each.seq === seq) };
  } catch (error) {
    if (error instanceof ShannonDashError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

async function answerUrl({ decision, state }: ToldEvent, access: WorkspaceAccess, baseUrl: string): Promise<string | undefined> {
  if (decision === undefined) return undefined;
  const { answer_path } = await access.decision(state.session_id, decision.decision_id);
  return answer_path === undefined ? undefined : new URL(answer_path, baseUrl).href;
}
