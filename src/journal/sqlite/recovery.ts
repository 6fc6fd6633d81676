import type { SessionEvent } from '../../core/protocol/event.ts';
import { lostEvent } from './database/chunks.ts';
import type { LogContent } from './commit-log-text.ts';
import type { JournalEvent, SessionHead } from '../journal.ts';
import type { NewestEvents } from './newest-events.ts';
import type { SqliteDatabase } from './database/sqlite-database.ts';
import type { StartLosses } from './start-losses.ts';
import { eventFromJson, seqOfServerMadeId } from '../stamping.ts';

/** The line of a commit that says that a session was created. */
export function createdLine(created: SessionHead): string {
  return JSON.stringify({ created });
}

type LogLine = Partial<SessionEvent> & { created?: SessionHead };

export interface RecoveryParts {
  database: SqliteDatabase;
  losses: StartLosses;
  /** The sessions of the database; those that only the log has are added. */
  sessions: Map<string, NewestEvents>;
  /** Takes up events that the database has yet to get, or with none a session that it has yet to get. */
  take: (session: NewestEvents, events: readonly JournalEvent[]) => void;
  tell: (sentence: string) => void;
}

/** Takes up what a sudden end left in the log, and what could not be written back before. */
export class Recovery {
  readonly #parts: RecoveryParts;
  readonly #mended = new Map<string, number>();
  #hasGap = false;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  /** What is in both, the database and the log, is taken from the database. */
  takeLog({ commits }: LogContent): void {
    const { database, losses, tell } = this.#parts;
    for (const { number, lines } of commits) {
      if (number !== undefined && number <= database.commits) continue;
      for (const line of lines) this.#takeLine(line);
    }
    if (this.#hasGap && losses.isNone) losses.add('events are gone');
    for (const [session, count] of this.#mended) {
      tell(`${count} events of ${session} had ids that are no Unicode text, which no database can hold: they have ids of the journal now`);
    }
  }

  takeAside(): void {
    const { database, tell } = this.#parts;
    for (const { head, lines } of database.asideSessions()) {
      tell(`${lines.length} events of ${head.session_id} could not be written back before; it is tried again`);
      this.#created(head);
      for (const line of lines) this.#takeLine(line);
    }
  }

  #takeLine(line: string): void {
    const { created, ...event } = JSON.parse(line) as LogLine;
    if (created === undefined) this.#appended(event as SessionEvent, line);
    else this.#created(created);
  }

  #created(head: SessionHead): NewestEvents {
    const { sessions, take } = this.#parts;
    const known = sessions.get(head.session_id);
    if (known !== undefined) return known;
    const session: NewestEvents = {
      key: undefined,
      head: { ...head, seq: 0, updated_at: head.created_at },
      waiting: [],
      waitingIds: new Map(),
    };
    sessions.set(head.session_id, session);
    take(session, []);
    return session;
  }

  #appended(event: SessionEvent, line: string): void {
    const { sessions, take } = this.#parts;
    const session = sessions.get(event.session_id) ?? this.#created(this.#headOf(event));
    if (event.seq <= session.head.seq) return;
    if (event.seq > session.head.seq + 1) this.#bridge(session, event.seq);
    const { epoch } = session.head;
    const json = event.id.isWellFormed() ? line : this.#mend(event, epoch);
    take(session, [eventFromJson(event.session_id, event.seq, json)]);
    if (event.id.isWellFormed() && seqOfServerMadeId(epoch, event.id) === undefined) session.waitingIds.set(event.id, event.seq);
  }

  /** A session that the database should have, and has not. */
  #headOf({ session_id, seq, id, timestamp }: SessionEvent): SessionHead {
    const end = `:${seq}`;
    const epoch = id.endsWith(end) ? id.slice(0, -end.length) : this.#parts.database.epochOfNew;
    return { session_id, epoch, created_at: timestamp, updated_at: timestamp, seq: 0 };
  }

  /** The next event is not the next one: what lies between is lost. */
  #bridge(session: NewestEvents, seq: number): void {
    const { losses, take } = this.#parts;
    const { head } = session;
    this.#hasGap = true;
    losses.addGap(head.session_id, head.seq + 1, seq - 1);
    if (session.waiting.length === 0) head.seq = seq - 1;
    while (head.seq < seq - 1) take(session, [lostEvent(head, head.seq + 1)]);
  }

  #mend(event: SessionEvent, epoch: string): string {
    this.#mended.set(event.session_id, (this.#mended.get(event.session_id) ?? 0) + 1);
    return JSON.stringify({ ...event, id: `${epoch}:${event.seq}` });
  }
}
