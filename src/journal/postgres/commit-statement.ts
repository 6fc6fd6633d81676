import { receivedAt } from '../../core/protocol/event.ts';
import { seqOfServerMadeId } from '../stamping.ts';
import type { StagedSession } from './staged-group.ts';

/** A note to the other servers holds at most so many characters of JSON: PostgreSQL takes fewer than 8,000 bytes. */
const noteChars = 6_000;

/**
 * What one server tells the others: its name, and where each session stands. A session without a place is deleted; a second number is
 * the event through which retention has cut it.
 */
export type CommitNote = [writer: string, ...([string, string, number] | [string, string, number, number] | [string])[]];

/** A statement for `pg`, prepared under its name. */
export interface Statement {
  text: string;
  values: unknown[];
  name: string;
}

/** The call of `commit_group` that writes these sessions, sorted by their ids. @param number of the commit among those of its writer */
export function commitStatement(
  sessions: readonly StagedSession[],
  { writer, number, deletions, channel }: { writer: string; number: number; deletions: number; channel: string },
): Statement {
  const [places, seqs, ids, types, times, chars, jsons] = [[], [], [], [], [], [], []] as [
    number[],
    number[],
    (Buffer | null)[],
    string[],
    string[],
    number[],
    string[],
  ];
  for (const [place, { fresh, byId, epoch }] of sessions.entries()) {
    const idOf = new Map([...byId].map(([id, event]) => [event, id]));
    for (const event of fresh) {
      const id = idOf.get(event);
      places.push(place + 1);
      seqs.push(event.seq);
      ids.push(id === undefined || seqOfServerMadeId(epoch, id) !== undefined ? null : Buffer.from(id));
      types.push(event.type);
      times.push(receivedAt(event.event));
      chars.push(event.json.length);
      jsons.push(event.json);
    }
  }
  const wanted = sessions.map(({ session_id, believed, epoch, seq, updated_at, origin }) => ({
    id: session_id,
    epoch: believed?.epoch ?? null,
    seq: believed?.seq ?? 0,
    last: seq,
    updated_at,
    ...(believed === undefined ? { origin: JSON.stringify(origin), new_epoch: epoch } : {}),
  }));
  const looks = sessions.some((session) => session.looks);
  const given = [writer, number, JSON.stringify(wanted), looks, deletions, channel, notesOf(writer, sessions)];
  const text = 'SELECT commit_group($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) AS found';
  return { text, values: [...given, places, seqs, ids, types, times, chars, jsons], name: 'commit_group' };
}

function notesOf(writer: string, sessions: readonly StagedSession[]): string[] {
  const notes: string[] = [];
  let note: CommitNote = [writer];
  let chars = 0;
  for (const { session_id, epoch, seq } of sessions) {
    note.push([session_id, epoch, seq]);
    chars += session_id.length + epoch.length + 30;
    if (chars < noteChars) continue;
    notes.push(JSON.stringify(note));
    note = [writer];
    chars = 0;
  }
  if (note.length > 1) notes.push(JSON.stringify(note));
  return notes;
}
