import { z } from 'zod';
import { matchesGlob } from '../../core/event-filter.ts';
import type { AuditEntry } from '../../core/http-answers.ts';
import { parse } from '../../core/json/parse.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { CommandState } from '../../core/protocol/session-state.ts';
import type { StoredSession } from '../sessions/stored-session.ts';
import { nextTurn } from '../turns.ts';

/** What is asked for. */
export interface AuditQuery {
  /** A glob over the ids of sessions. */
  session?: string | undefined;
  /** Commands that were sent then or later. */
  since?: string | undefined;
  /** The name of the sender. */
  by?: string | undefined;
  limit: number;
  /** From the page before: where it ended. */
  before?: string | undefined;
}

/** An answer is not longer, but for a single command that is. */
const pageChars = 4 * 1024 * 1024;
/** When, in which session and by which id: what orders commands of all sessions. */
const place = z.tuple([z.string(), z.string(), z.string()]);

/**
 * The newest commands of many sessions, newest last. Only sessions that have changed late enough to hold one of them are looked at,
 * those that changed last first; none that was imported, as whoever wrote a recording says what stands in it.
 * @param sessions those that the caller reaches
 * @param commandsOf the ledger of a session
 * @returns next: `before` for the page with older ones; null where there are none
 * @throws ShannonDashError INVALID `before` is from no page
 */
export async function auditOf(
  sessions: Iterable<StoredSession>,
  { session: glob, since, by, limit, before }: AuditQuery,
  commandsOf: (sessionId: string) => Promise<readonly CommandState[]>,
): Promise<{ commands: AuditEntry[]; next: string | null }> {
  const end = before === undefined ? undefined : placeOf(before);
  const isMeant = (entry: AuditEntry) =>
    (since === undefined || entry.created_at >= since) &&
    (by === undefined || entry.by === by) &&
    (end === undefined || isEarlier(entry, end));
  const changed = [...sessions]
    .filter(({ head }) => head.imported === undefined && (glob === undefined || matchesGlob(glob, head.session_id)))
    .map(({ head }) => ({ id: head.session_id, updatedAt: head.updated_at }))
    .filter(({ updatedAt }) => since === undefined || updatedAt >= since)
    .toSorted((one, other) => (one.updatedAt < other.updatedAt ? 1 : -1));
  // One more than the page has tells that there is a next one.
  let newest: AuditEntry[] = [];
  for (const { id, updatedAt } of changed) {
    const oldest = newest[limit];
    if (oldest !== undefined && updatedAt < oldest.created_at) break;
    const found = (await commandsOf(id)).map((command) => entryOf(id, command)).filter(isMeant);
    if (found.length > 0) newest = [...newest, ...found].toSorted(byNewest).slice(0, limit + 1);
    await nextTurn();
  }
  let chars = 0;
  const isFitting = (entry: AuditEntry, at: number) => at === 0 || (chars += JSON.stringify(entry).length) <= pageChars;
  const tooMuch = newest.findIndex((entry, at) => at === limit || !isFitting(entry, at));
  const page = tooMuch === -1 ? newest : newest.slice(0, tooMuch);
  const last = page.at(-1);
  return { commands: page.toReversed(), next: tooMuch === -1 || last === undefined ? null : nameOf(last) };
}

/** Results can be large, and are in the ledger of the session. */
function entryOf(session_id: string, command: CommandState): AuditEntry {
  const { result: _result, delivered_to: _delivered, for_instance: _for, offered_to: _offered, ...entry } = command;
  return { session_id, ...entry };
}

type Place = readonly [string, string, string];

function placeIn({ created_at, session_id, command_id }: AuditEntry): Place {
  return [created_at, session_id, command_id];
}

function byNewest(one: AuditEntry, other: AuditEntry): number {
  return isEarlier(one, placeIn(other)) ? 1 : -1;
}

function isEarlier(entry: AuditEntry, than: Place): boolean {
  const own = placeIn(entry);
  const at = own.findIndex((part, index) => part !== than[index]);
  return at !== -1 && (own[at] ?? '') < (than[at] ?? '');
}

function nameOf(entry: AuditEntry): string {
  return Buffer.from(JSON.stringify(placeIn(entry))).toString('base64url');
}

function placeOf(name: string): Place {
  try {
    return parse(place, JSON.parse(Buffer.from(name, 'base64url').toString()));
  } catch (cause) {
    throw new ShannonDashError('INVALID', 'before: must be "next" of the page before', undefined, { cause });
  }
}
