import { randomUUID } from 'node:crypto';
import { receivedAt } from '../../core/protocol/event.ts';
import type { JournalChange, JournalEvent } from '../journal.ts';
import { eventFromJson, seqOfServerMadeId } from '../stamping.ts';
import { ConnectionCut, type PostgresConnection } from './postgres-connection.ts';
import { postgresFailure } from './postgres-failure.ts';
import { StagedGroup, type BelievedHead, type StagedSession } from './staged-group.ts';

/** So long after the database was last reached, what is to be written waits for it to come back. */
const patienceMs = 8_000;
/** A note to the other servers holds at most so many characters of JSON: PostgreSQL takes fewer than 8,000 bytes. */
const noteChars = 6_000;

/** What `commit_group` tells where something is not as it was believed to be. */
interface Found {
  heads: ({ epoch: string; seq: number; imported: boolean } | null)[];
  /** Place of the session among those sent, from 1; seq; JSON. */
  known: [number, number, string][];
  deletions: number;
  sessions: number;
}

/** What one server tells the others of a commit: its name, and where each session stands. A session without a place is deleted. */
export type CommitNote = [writer: string, ...([string, string, number] | [string])[]];

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

/** Writes commits, one at a time, and finds out what became of one whose connection was cut. */
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

  get epochOfNew(): string {
    return this.#deletions === 0 ? this.#options.epoch : `${this.#options.epoch}.${this.#deletions}`;
  }

  /** Whether a commit of this process may have been kept that the listeners were not told of. */
  takeMissed(): boolean {
    const mayHaveMissed = this.#mayHaveMissed;
    this.#mayHaveMissed = false;
    return mayHaveMissed;
  }

  async open(): Promise<void> {
    await this.#query('INSERT INTO writers VALUES ($1, 0, now())', [this.name]);
    await this.learnCounts();
  }

  /** Reads how many sessions there are. */
  async learnCounts(): Promise<void> {
    const { rows } = await this.#query<{ deletions: number; sessions: number }>('SELECT deletions, sessions FROM journal');
    this.#deletions = rows[0]?.deletions ?? 0;
    this.#sessions = rows[0]?.sessions ?? 0;
  }

  /**
   * Writes what `stage` brings about. It is staged again where the database is not as it was believed to be.
   * @throws ShannonDashError JOURNAL_FAILED, and what `stage` throws
   */
  async commit(stage: (group: StagedGroup) => void): Promise<StagedGroup> {
    const known = new Map<string, Map<string, JournalEvent>>();
    for (let tries = 1; ; tries++) {
      const group = new StagedGroup({ heads: this.#options.heads, known, epochOfNew: this.epochOfNew, sessions: this.#sessions });
      stage(group);
      if (group.unknownEvents.length > 0) {
        await this.#learnEvents(group, known);
        continue;
      }
      if (group.isEmpty) return group;
      const sessions = [...group.sessions.values()].toSorted((a, b) => (a.session_id < b.session_id ? -1 : 1));
      // Where others write all the time, the sessions are locked between the look and the writing.
      const found = await this.#write(sessions, tries > 2);
      if (found === undefined) {
        this.#noteWritten(sessions);
        return group;
      }
      this.#learn(sessions, found, known);
    }
  }

  /** A session that was imported is there. */
  async noteImported(sessionId: string, { epoch, seq }: BelievedHead): Promise<void> {
    this.#options.heads.set(sessionId, { epoch, seq, isImported: true });
    await this.learnCounts();
  }

  async delete(sessionId: string): Promise<boolean> {
    const number = ++this.#number;
    const note = JSON.stringify([this.name, [sessionId]] satisfies CommitNote);
    const sent = await this.#surely<{ was: boolean }>(number, {
      text: 'SELECT delete_session($1, $2, $3, $4, $5) AS was',
      values: [this.name, number, sessionId, this.#options.channel, note],
    });
    const was = sent === undefined || sent.was;
    this.#options.heads.delete(sessionId);
    await this.learnCounts();
    return was;
  }

  /** The process will write nothing more. */
  async close(): Promise<void> {
    await this.#options.connection.query('DELETE FROM writers WHERE writer = $1', [this.name]).catch(() => undefined);
    await this.#options.connection.close();
  }

  #write(sessions: StagedSession[], isLocked: boolean): Promise<Found | undefined> {
    const number = ++this.#number;
    const { channel } = this.#options;
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
    const given = [this.name, number, JSON.stringify(wanted), looks, this.#deletions, channel, this.#notes(sessions)];
    const values = [...given, places, seqs, ids, types, times, chars, jsons];
    const text = 'SELECT commit_group($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) AS found';
    return this.#surely<{ found: Found | null }>(number, { text, values, name: 'commit_group', isLocked }).then(
      (row) => row?.found ?? undefined,
    );
  }

  /**
   * Sends a commit, and where its connection was cut finds out whether it was kept; if not, sends it again.
   * @returns what it gave; undefined where it was kept and its answer lost
   */
  async #surely<Row extends object>(
    number: number,
    { text, values, name, isLocked = false }: { text: string; values: unknown[]; name?: string; isLocked?: boolean },
  ): Promise<Row | undefined> {
    const { connection } = this.#options;
    let wasSent = false;
    for (;;) {
      try {
        if (wasSent && (await this.#wasKept(number))) return undefined;
        await connection.connect(this.#patienceMs());
        wasSent = true;
        if (isLocked) {
          await connection.query('BEGIN');
          // In this order whoever makes or deletes a session locks too.
          await connection.query('SELECT FROM journal FOR UPDATE');
          await connection.query(`SELECT session_id FROM sessions WHERE session_id = ANY($1) ORDER BY session_id FOR UPDATE`, [
            (JSON.parse(values[2] as string) as { id: string }[]).map(({ id }) => id),
          ]);
        }
        const { rows } = await connection.query<Row>(text, values, name);
        if (isLocked) await connection.query('COMMIT');
        this.#reachedAtMs = performance.now();
        return rows[0];
      } catch (error) {
        if (isLocked) await connection.query('ROLLBACK').catch(() => undefined);
        if (!(error instanceof ConnectionCut)) throw postgresFailure('written', error);
        if (this.#patienceMs() > 0) continue;
        if (wasSent) this.#mayHaveMissed = true;
        throw postgresFailure('written', error, wasSent);
      }
    }
  }

  /** Waits for a commit that the database may still be busy with: it holds the row of this writer. */
  async #wasKept(number: number): Promise<boolean> {
    const { connection } = this.#options;
    await connection.connect(this.#patienceMs());
    const text = 'SELECT commit FROM writers WHERE writer = $1 FOR UPDATE';
    const { rows } = await connection.query<{ commit: string }>(text, [this.name]);
    // Another process has cleared up after this one, which was not heard of for long.
    if (rows.length === 0) await connection.query('INSERT INTO writers VALUES ($1, 0, now())', [this.name]);
    return Number(rows[0]?.commit ?? 0) >= number;
  }

  #patienceMs(): number {
    return Math.max(0, this.#reachedAtMs + patienceMs - performance.now());
  }

  #notes(sessions: readonly StagedSession[]): string[] {
    const notes: string[] = [];
    let note: CommitNote = [this.name];
    let chars = 0;
    for (const { session_id, epoch, seq } of sessions) {
      note.push([session_id, epoch, seq]);
      chars += session_id.length + epoch.length + 30;
      if (chars < noteChars) continue;
      notes.push(JSON.stringify(note));
      note = [this.name];
      chars = 0;
    }
    if (note.length > 1) notes.push(JSON.stringify(note));
    return notes;
  }

  #noteWritten(sessions: readonly StagedSession[]): void {
    for (const { session_id, epoch, seq, believed } of sessions) {
      this.#options.heads.set(session_id, { epoch, seq });
      if (believed === undefined) this.#sessions++;
    }
  }

  /** Takes up what others have done meanwhile. */
  #learn(sessions: readonly StagedSession[], found: Found, known: Map<string, Map<string, JournalEvent>>): void {
    const { heads, onOvertaken } = this.#options;
    this.#deletions = found.deletions;
    this.#sessions = found.sessions;
    const changes: JournalChange[] = [];
    for (const [place, { session_id, believed }] of sessions.entries()) {
      const head = found.heads[place] ?? undefined;
      if (head?.epoch !== believed?.epoch || head?.seq !== believed?.seq) changes.push({ kind: 'behind', session_id });
      if (head === undefined) heads.delete(session_id);
      else heads.set(session_id, { epoch: head.epoch, seq: head.seq, isImported: head.imported });
    }
    for (const [place, seq, json] of found.known) {
      const session = sessions[place - 1];
      if (session !== undefined) noteKnown(known, eventFromJson(session.session_id, seq, json));
    }
    if (changes.length > 0) onOvertaken(changes);
  }

  async #learnEvents({ unknownEvents }: StagedGroup, known: Map<string, Map<string, JournalEvent>>): Promise<void> {
    const { rows } = await this.#query<{ session_id: string; seq: string; json: string }>(
      `SELECT s.session_id, e.seq, e.json FROM unnest($1::text[], $2::bigint[]) AS asked(id, seq)
       JOIN sessions s ON s.session_id = asked.id JOIN events e ON e.session = s.key AND e.seq = asked.seq`,
      [unknownEvents.map(({ session_id }) => session_id), unknownEvents.map(({ seq }) => seq)],
    );
    for (const { session_id, seq, json } of rows) noteKnown(known, eventFromJson(session_id, Number(seq), json));
  }

  async #query<Row extends object>(text: string, values: unknown[] = []) {
    try {
      const result = await this.#options.connection.query<Row>(text, values);
      this.#reachedAtMs = performance.now();
      return result;
    } catch (error) {
      throw postgresFailure('read', error);
    }
  }
}

function noteKnown(known: Map<string, Map<string, JournalEvent>>, event: JournalEvent): void {
  const ofSession = known.get(event.session_id) ?? new Map<string, JournalEvent>();
  known.set(event.session_id, ofSession.set(event.event.id, event));
}
