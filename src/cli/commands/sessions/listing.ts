import type { ListedSession } from '../../../core/http-answers.ts';
import { isLive } from '../../../core/protocol/session-state.ts';
import type { Invocation } from '../../invocation.ts';
import { byChange } from '../../server-access/live-sessions.ts';
import { request, serverNowMs } from '../../server-access/server-request.ts';
import { pointInTime } from '../../settings/point-in-time.ts';
import { everySecond } from '../../terminal/every-second.ts';
import { sessionTable } from '../../terminal/session-table.ts';
import type { SessionsOptions } from './definition.ts';

const shownByDefault = 20;

/** Lists the sessions that pass, those that changed last first; with `--watch` every second anew. */
export async function listSessions({ options, settings, output, interruption }: Invocation<SessionsOptions>): Promise<void> {
  const passes = filterOf(options);
  const look = async (): Promise<{ lines: string[]; note?: string }> => {
    const answer = await request(settings, 'sessions', {});
    const found = answer.sessions.filter(passes).toSorted(byChange);
    const sessions = found.slice(0, options.limit ?? shownByDefault);
    if (output.isJson) {
      await output.streamDocument({ sessions, total: found.length });
      return { lines: [] };
    }
    if (answer.sessions.length === 0) return { lines: [], note: 'no sessions yet; start one: shannon-dash run -- COMMAND' };
    if (found.length === 0) return { lines: [], note: `none of ${answer.sessions.length} sessions passes; see all: shannon-dash sessions` };
    const lines = await sessionTable(sessions, serverNowMs(answer), output);
    return found.length > sessions.length
      ? { lines, note: `and ${found.length - sessions.length} more: --limit ${found.length}` }
      : { lines };
  };
  if (options.watch === true) {
    return everySecond(
      async () => {
        const { lines, note } = await look();
        return [...lines, ...(note === undefined ? [] : [note])];
      },
      output,
      interruption,
    );
  }
  const { lines, note } = await look();
  for (const line of lines) output.line(line);
  if (note !== undefined) output.note(note);
}

function filterOf({ live, failed, status, since, search, archived }: SessionsOptions): (session: ListedSession) => boolean {
  const sinceIso = since === undefined ? undefined : new Date(pointInTime(since)).toISOString();
  const wanted = search?.toLowerCase();
  return (session) =>
    (archived === true || !session.archived) &&
    (live !== true || isLive(session.status)) &&
    (failed !== true || session.status === 'failed' || session.status === 'lost') &&
    (status === undefined || session.status === status) &&
    (sinceIso === undefined || session.updated_at >= sinceIso) &&
    (wanted === undefined || wordsOf(session).some((word) => word.toLowerCase().includes(wanted)));
}

function wordsOf({ session_id, task, folder, branch, user, labels }: ListedSession): string[] {
  return [session_id, task, folder, branch, user, ...labels].filter((word) => word !== null);
}
