import type { JournalChange } from '../journal.ts';
import { ConnectionCut, PostgresConnection, type ConnectionOptions } from './postgres-connection.ts';
import { sizeStatement } from './postgres-schema.ts';
import type { CommitNote } from './commit-statement.ts';
import type { BelievedHead } from './staged-group.ts';

/** How often a server says that it is there, and looks who else is. */
const beatMs = 1_000;
/** A server that has not said so for so long is gone. */
const presenceSeconds = 10;
/** A note can be lost: so often it is looked what has changed in the last `overlapSeconds`. */
const [lookBeats, overlapSeconds] = [5, 30];
const writersKept = '1 hour';
/** Says that a server is there, and gives the names of all that are. */
export const presenceStatement = `WITH said AS (
  INSERT INTO servers VALUES ($1, $2, clock_timestamp() + interval '${presenceSeconds} s', $3)
  ON CONFLICT (server) DO UPDATE SET url = excluded.url, until = excluded.until
) SELECT server FROM servers WHERE until > clock_timestamp()`;

export interface FeedOptions {
  config: ConnectionOptions['config'];
  channel: string;
  /** The name of this process among those that write: its own notes tell it nothing. */
  writer: string;
  heads: Map<string, BelievedHead>;
  onChanges: (changes: JournalChange[]) => void;
  /** Whether the database answers, and why not. */
  onReached: (failure: string | undefined) => void;
  /** Whether something of this process may be in the journal that its listeners were not told of. */
  mayHaveMissed: () => boolean;
}

type Cut = Extract<JournalChange, { kind: 'cut' }>;

/** Hears what other servers write, and which of them are there. */
export class PostgresFeed {
  readonly #options: FeedOptions;
  readonly #connection: PostgresConnection;
  readonly #own = new Map<string, string | undefined>();
  /** Where histories are cut, as far as the listeners were told. */
  readonly #cuts = new Map<string, Cut>();
  #others: ReadonlySet<string> = new Set();
  #mustCompare = false;
  #beats = 0;
  #size = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #beating: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#connection = new PostgresConnection({
      config: options.config,
      // What is written here is true for seconds: no disk is waited for.
      prepare: (client) => client.query(`SET synchronous_commit = off; LISTEN ${options.channel}`),
      onNotification: (payload) => this.#take(payload),
      onCut: () => {
        this.#mustCompare = true;
        this.#beatSoon();
      },
    });
  }

  /** The servers that work with the journal: those of this process, and others as far as was last seen. */
  get servers(): ReadonlySet<string> {
    return new Set([...this.#own.keys(), ...this.#others]);
  }

  /** What the tables take on disk, in bytes. */
  get sizeBytes(): number {
    return this.#size;
  }

  async open(): Promise<void> {
    await this.#compare();
    await this.#beat();
    this.#beatLater();
  }

  /** The sessions that fall to a server, as whoever wrote to them last is gone. */
  async inCareOf(server: string): Promise<string[]> {
    await this.#present(server);
    const { rows } = await this.#connection.query<{ session_id: string }>(
      `WITH present AS (
         SELECT server, writer, row_number() OVER (ORDER BY server) - 1 AS place, count(*) OVER () AS total
         FROM servers WHERE until > clock_timestamp()
       )
       SELECT session_id FROM sessions, present
       WHERE present.server = $1 AND session_id IS NOT NULL AND abs(hashtext(session_id)::bigint) % total = place
         AND NOT EXISTS (SELECT FROM present other WHERE other.writer = sessions.writer)`,
      [server],
    );
    return rows.map(({ session_id }) => session_id);
  }

  join(server: string): () => void {
    this.#own.set(server, undefined);
    this.#beatSoon();
    return () => {
      this.#own.delete(server);
      void this.#connection.query('DELETE FROM servers WHERE server = $1', [server]).catch(() => undefined);
    };
  }

  announce(url: string): void {
    for (const server of this.#own.keys()) this.#own.set(server, url);
    this.#beatSoon();
  }

  /** Tells the listeners of a cut, unless they know it. */
  noteCut(cut: Cut): void {
    const known = this.#cuts.get(cut.session_id);
    if (known?.epoch === cut.epoch && known.through >= cut.through) return;
    this.#cuts.set(cut.session_id, cut);
    this.#options.onChanges([cut]);
  }

  /** A session is deleted. */
  forgetCut(sessionId: string): void {
    this.#cuts.delete(sessionId);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#beating;
    if (this.#own.size > 0) {
      await this.#connection.query('DELETE FROM servers WHERE server = ANY($1)', [[...this.#own.keys()]]).catch(() => undefined);
    }
    await this.#connection.close();
  }

  #beatSoon(): void {
    this.#beating = this.#beating.then(() => this.#beatSafely());
  }

  #beatLater(): void {
    this.#timer = setTimeout(() => {
      this.#beating = this.#beating.then(() => this.#beatSafely()).finally(() => this.#beatLater());
    }, beatMs);
    this.#timer.unref();
    if (this.#isClosed) clearTimeout(this.#timer);
  }

  async #beatSafely(): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.#beat();
      this.#options.onReached(undefined);
    } catch (error) {
      this.#options.onReached(error instanceof Error ? error.message : String(error));
      // Whoever was there is taken to be there still: nobody's work is taken up because the network is gone.
      if (error instanceof ConnectionCut) this.#mustCompare = true;
    }
  }

  async #beat(): Promise<void> {
    for (const [server, url] of this.#own) {
      const present = await this.#present(server, url);
      this.#others = new Set(present.filter((each) => !this.#own.has(each)));
    }
    if (this.#mustCompare || this.#options.mayHaveMissed()) {
      this.#mustCompare = false;
      await this.#compare();
    }
    if (this.#beats++ % lookBeats !== 0) return;
    await this.#compare(`touched_at > clock_timestamp() - interval '${overlapSeconds} s'`);
    const { rows: sizes } = await this.#connection.query<{ size: string }>(sizeStatement);
    this.#size = Number(sizes[0]?.size ?? 0);
    await this.#connection.query(`DELETE FROM servers WHERE until < clock_timestamp() - interval '1 hour'`);
    await this.#connection.query(`DELETE FROM writers WHERE at < now() - interval '${writersKept}'`);
  }

  /** Says that a server is there. @returns all that are */
  async #present(server: string, url = this.#own.get(server)): Promise<string[]> {
    const values = [server, url, this.#options.writer];
    const { rows } = await this.#connection.query<{ server: string }>(presenceStatement, values, 'presence');
    return rows.map((row) => row.server);
  }

  /** Looks where the sessions stand, all of them or some, and tells of those that stand elsewhere than was known. */
  async #compare(where?: string): Promise<void> {
    const { heads } = this.#options;
    const { rows } = await this.#connection.query<{ session_id: string | null; epoch: string; seq: string; cut: string }>(
      `SELECT session_id, epoch, seq, cut FROM sessions WHERE ${where ?? 'session_id IS NOT NULL'}`,
    );
    const found = new Set<string>();
    for (const { session_id, epoch, seq, cut } of rows) {
      if (session_id === null) continue;
      found.add(session_id);
      this.#note(session_id, { epoch, seq: Number(seq) });
      if (cut !== '0') this.noteCut({ kind: 'cut', session_id, epoch, through: Number(cut) });
    }
    if (where !== undefined) return;
    for (const session_id of heads.keys()) if (!found.has(session_id)) this.#note(session_id, undefined);
  }

  #take(payload: string): void {
    // Written by `notes` of another writer: whoever may write to the database is believed.
    const [writer, ...sessions] = JSON.parse(payload) as CommitNote;
    if (writer === this.#options.writer) return;
    for (const [session_id, epoch, seq, cut] of sessions) {
      this.#note(session_id, epoch === undefined || seq === undefined ? undefined : { epoch, seq });
      if (epoch !== undefined && cut !== undefined) this.noteCut({ kind: 'cut', session_id, epoch, through: cut });
    }
  }

  #note(session_id: string, head: BelievedHead | undefined): void {
    const { heads, onChanges } = this.#options;
    const known = heads.get(session_id);
    // What is older than what is known comes late, by another connection.
    if (head === undefined ? known === undefined : known?.epoch === head.epoch && known.seq >= head.seq) return;
    if (head === undefined) this.forgetCut(session_id);
    if (head === undefined) heads.delete(session_id);
    else heads.set(session_id, head);
    onChanges([{ kind: 'behind', session_id, epoch: head?.epoch }]);
  }
}
