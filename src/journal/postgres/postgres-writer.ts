import { randomUUID } from 'node:crypto';
import type { JournalChange, JournalEvent } from '../journal.ts';
import { eventFromJson } from '../stamping.ts';
import { commitStatement, type CommitNote } from './commit-statement.ts';
import { ConnectionCut, type PostgresConnection, postgresFailure } from './postgres-connection.ts';
import { StagedGroup, type BelievedHead, type Beliefs, type StagedSession } from './staged-group.ts';

/** So long after the database was last reached, what is to be written waits for it to come back. */
const patienceMs = 8_000;
/** After so many tries that others have overtaken, a commit holds its sessions from the look at them on. */
const triesUnheld = 2;

/** What the database tells of the sessions that were asked for. */
interface Found {
  heads: ({ epoch: string; seq: number; imported: boolean } | null)[];
  /** The events that have an id of the commit: place of the session among those asked for, from 1; seq; JSON. */
  known: [number, number, string][];
  deletions: number;
  sessions: number;
}

/** Events by their ids, of sessions by theirs. */
type KnownEvents = Map<string, Map<string, JournalEvent | undefined>>;

type Stage = (group: StagedGroup) => void;
type Query = PostgresConnection['query'];

export interface WriterOptions {
  connection: PostgresConnection;
  /** The journal's epoch. */
  epoch: string;
  channel: string;
  /** Where each session stands that the listeners were told of. */
  heads: Map<string, BelievedHead>;
  /** Of these sessions others have written something that the listeners do not know yet. */
  onOvertaken: (changes: JournalChange[]) => void;
}

/** Writes commits, one at a time, and each of them once, also where its connection is cut. */
export class PostgresWriter {
  /** The name of this process among those that write. */
  readonly name = randomUUID();
  readonly #options: WriterOptions;
  #number = 0;
  #deletions = 0;
  #sessions = 0;
  #reachedAtMs = performance.now();
  #mayHaveMissed = false;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  get channel(): string {
    return this.#options.channel;
  }

  /** Whether a commit of this process may have been kept that the listeners were not told of. */
  takeMissed(): boolean {
    const mayHaveMissed = this.#mayHaveMissed;
    this.#mayHaveMissed = false;
    return mayHaveMissed;
  }

  /** Reads how many sessions there are. @throws ShannonDashError JOURNAL_FAILED */
  async learnCounts(): Promise<void> {
    const { rows } = await this.#read<{ deletions: number; sessions: number }>('SELECT deletions, sessions FROM journal');
    this.#deletions = rows[0]?.deletions ?? 0;
    this.#sessions = rows[0]?.sessions ?? 0;
  }

  /**
   * Writes what `stage` brings about. It is staged again where the database is not as it was believed to be.
   * @param sessionIds the sessions that `stage` may touch
   * @throws ShannonDashError JOURNAL_FAILED, and what `stage` throws
   */
  async commit(sessionIds: readonly string[], stage: Stage): Promise<StagedGroup> {
    const known: KnownEvents = new Map();
    for (let tries = 0; ; tries++) {
      const written = tries < triesUnheld ? await this.#commitAsBelieved(stage, known) : await this.#commitHeld(sessionIds, stage, known);
      if (written === undefined) continue;
      if (!written.isEmpty) this.#noteWritten(written);
      return written;
    }
  }

  /** A session that was imported is there. */
  async noteImported(sessionId: string, { epoch, seq }: BelievedHead): Promise<void> {
    this.#options.heads.set(sessionId, { epoch, seq, isImported: true });
    await this.learnCounts();
  }

  async delete(sessionId: string): Promise<boolean> {
    const { connection, channel, heads } = this.#options;
    const number = ++this.#number;
    const note = JSON.stringify([this.name, [sessionId]] satisfies CommitNote);
    const values = [this.name, number, sessionId, channel, note];
    const { rows } = await this.#surely(() =>
      connection.query<{ was: boolean }>('SELECT delete_session($1, $2, $3, $4, $5) AS was', values),
    );
    heads.delete(sessionId);
    await this.learnCounts();
    return rows[0]?.was === true;
  }

  /** The process will write nothing more. */
  async close(): Promise<void> {
    await this.#options.connection.query('DELETE FROM writers WHERE writer = $1', [this.name]).catch(() => undefined);
    await this.#options.connection.close();
  }

  /** @returns undefined where others have overtaken it */
  async #commitAsBelieved(stage: Stage, known: KnownEvents): Promise<StagedGroup | undefined> {
    const { connection, heads } = this.#options;
    const group = await this.#staged(stage, { heads, known }, (text, values) => this.#read(text, values));
    if (group.isEmpty) return group;
    const number = ++this.#number;
    const found = await this.#surely(() => this.#send(group, number, (text, values, name) => connection.query(text, values, name)));
    if (found === undefined) return group;
    const sessions = group.sorted;
    this.#learnHeads(sessions, found, known);
    noteKnown(known, sessions, found);
    return undefined;
  }

  /**
   * Holds the sessions from the look at them until the commit is written: nobody can overtake it, as somebody always does where several
   * servers write to one session without a pause.
   */
  async #commitHeld(sessionIds: readonly string[], stage: Stage, known: KnownEvents): Promise<StagedGroup | undefined> {
    const { connection, heads } = this.#options;
    const number = ++this.#number;
    const asked = sessionIds.toSorted();
    // What was sent last: if the transaction was kept, and its answer lost, it is this.
    let sent: StagedGroup | undefined;
    return this.#surely(() =>
      connection.transaction(async (query) => {
        const { rows } = await query<{ found: Found | null }>('SELECT lock_sessions($1, $2, $3) AS found', [this.name, number, asked]);
        const held = rows[0]?.found ?? undefined;
        if (held === undefined) return sent;
        const believed = asked.map((session_id) => ({ session_id, believed: heads.get(session_id) }));
        const heldHeads = this.#learnHeads(believed, held, known);
        for (;;) {
          const group = await this.#staged(stage, { heads: heldHeads, known }, query);
          if (group.isEmpty) return group;
          sent = group;
          const found = await this.#send(group, number, query);
          if (found === undefined) return group;
          if (found.known.length === 0) return undefined;
          noteKnown(known, group.sorted, found);
        }
      }),
    );
  }

  /** Stages until every event is known that it needs. */
  async #staged(stage: Stage, { heads, known }: Pick<Beliefs, 'heads'> & { known: KnownEvents }, query: Query): Promise<StagedGroup> {
    for (;;) {
      const { epoch } = this.#options;
      const epochOfNew = this.#deletions === 0 ? epoch : `${epoch}.${this.#deletions}`;
      const group = new StagedGroup({ heads, known, epochOfNew, sessions: this.#sessions });
      stage(group);
      if (group.unknownEvents.length === 0) return group;
      const { rows } = await query<{ session_id: string; seq: string; json: string }>(
        `SELECT s.session_id, e.seq, e.json FROM unnest($1::text[], $2::bigint[]) AS asked(id, seq)
         JOIN sessions s ON s.session_id = asked.id JOIN events e ON e.session = s.key AND e.seq = asked.seq`,
        [group.unknownEvents.map(({ session_id }) => session_id), group.unknownEvents.map(({ seq }) => seq)],
      );
      // Retention may have taken some.
      for (const { session_id, id } of group.unknownEvents) noteEvent(known, session_id, id, undefined);
      for (const { session_id, seq, json } of rows) {
        const event = eventFromJson(session_id, Number(seq), json);
        noteEvent(known, session_id, event.event.id, event);
      }
    }
  }

  /** @returns undefined where it was written */
  async #send(group: StagedGroup, number: number, query: Query): Promise<Found | undefined> {
    const { channel } = this.#options;
    const { text, values, name } = commitStatement(group.sorted, { writer: this.name, number, deletions: this.#deletions, channel });
    const { rows } = await query<{ found: Found | null }>(text, values, name);
    return rows[0]?.found ?? undefined;
  }

  /** Sends a commit, and again where its connection was cut: the database knows by its number whether it was kept. */
  async #surely<Result>(send: () => Promise<Result>): Promise<Result> {
    let wasSent = false;
    for (;;) {
      try {
        await this.#options.connection.connect(this.#patienceMs());
        wasSent = true;
        const result = await send();
        this.#reachedAtMs = performance.now();
        return result;
      } catch (error) {
        if (!(error instanceof ConnectionCut)) throw postgresFailure('written', error);
        if (this.#patienceMs() > 0) continue;
        if (wasSent) this.#mayHaveMissed = true;
        throw postgresFailure('written', error, wasSent);
      }
    }
  }

  #patienceMs(): number {
    return Math.max(0, this.#reachedAtMs + patienceMs - performance.now());
  }

  #noteWritten({ sessions }: StagedGroup): void {
    for (const { session_id, epoch, seq, believed } of sessions.values()) {
      this.#options.heads.set(session_id, { epoch, seq });
      if (believed === undefined) this.#sessions++;
    }
  }

  /** Takes up what others have done meanwhile. @returns where these sessions stand */
  #learnHeads(
    sessions: readonly Pick<StagedSession, 'session_id' | 'believed'>[],
    found: Found,
    known: KnownEvents,
  ): Map<string, BelievedHead> {
    const { heads, onOvertaken } = this.#options;
    this.#deletions = found.deletions;
    this.#sessions = found.sessions;
    const changes: JournalChange[] = [];
    const stands = new Map<string, BelievedHead>();
    for (const [place, { session_id, believed }] of sessions.entries()) {
      const head = found.heads[place] ?? undefined;
      if (head?.epoch !== believed?.epoch || head?.seq !== believed?.seq) changes.push({ kind: 'behind', session_id, epoch: head?.epoch });
      // Events of a history that is deleted are not those of the next one.
      if (head?.epoch !== believed?.epoch) known.delete(session_id);
      if (head === undefined) heads.delete(session_id);
      else stands.set(session_id, { epoch: head.epoch, seq: head.seq, isImported: head.imported });
    }
    for (const [session_id, head] of stands) heads.set(session_id, head);
    if (changes.length > 0) onOvertaken(changes);
    return stands;
  }

  async #read<Row extends object>(text: string, values: unknown[] = []) {
    try {
      const result = await this.#options.connection.query<Row>(text, values);
      this.#reachedAtMs = performance.now();
      return result;
    } catch (error) {
      throw postgresFailure('read', error);
    }
  }
}

function noteKnown(known: KnownEvents, sessions: readonly StagedSession[], found: Found): void {
  for (const [place, seq, json] of found.known) {
    const session = sessions[place - 1];
    if (session === undefined) continue;
    const event = eventFromJson(session.session_id, seq, json);
    noteEvent(known, session.session_id, event.event.id, event);
  }
}

function noteEvent(known: KnownEvents, sessionId: string, id: string, event: JournalEvent | undefined): void {
  const ofSession = known.get(sessionId) ?? new Map<string, JournalEvent | undefined>();
  known.set(sessionId, ofSession.set(id, event));
}
