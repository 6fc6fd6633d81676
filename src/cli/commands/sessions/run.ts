import { safeLine } from '../../../core/text/safe-text.ts';
import { usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { isRecording } from '../../recordings/recording-file.ts';
import { withReachedJournal } from '../../server-access/journal-reader.ts';
import { existingSession, lookedAtSession } from '../../server-access/live-sessions.ts';
import type { SessionAction, SessionsOptions } from './definition.ts';
import { listSessions } from './listing.ts';
import { archiveSessions } from './archiving.ts';
import { pinSessions } from './pinning.ts';
import { removeSessions } from './removing.ts';
import { showSession } from './showing.ts';

/** Lists the sessions, tells all of one, or removes some. */
export async function sessions(invocation: Invocation<SessionsOptions>): Promise<number | void> {
  const [action, ...names] = invocation.args as [SessionAction?, ...string[]];
  if (action !== undefined && action !== 'show' && names.length === 0)
    throw usageFailure(`sessions ${action} needs a session`, 'see all: shannon-dash sessions');
  if (action === 'show' && names.length > 1) throw usageFailure('sessions show takes one session');
  const file = names.find(isRecording);
  if (file !== undefined)
    throw usageFailure(
      `${safeLine(file, 300)} is a file, and no session of a journal`,
      'bring it there: shannon-dash import FILE',
      'look at it: shannon-dash watch FILE',
    );
  const settings = await withReachedJournal(invocation.settings, invocation.output);
  const reached = { ...invocation, settings };
  if (action === undefined) return listSessions(reached);
  const ids = await Promise.all(names.map((name) => existingSession(settings, name)));
  if (action === 'archive' || action === 'unarchive') return archiveSessions(ids, action === 'archive', reached);
  if (action === 'pin' || action === 'unpin') return pinSessions(ids, action === 'pin', reached);
  if (action === 'rm') return removeSessions(ids, reached);
  return showSession(ids[0] ?? (await lookedAtSession(settings, { orLatest: true })), reached);
}
