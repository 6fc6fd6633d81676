import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { SessionEvent } from '../../core/protocol/event.ts';
import { limits } from '../../core/protocol/limits.ts';
import { readRecordings } from '../../core/recording/read-recordings.ts';
import type { RecordingHeader } from '../../core/recording/recording.ts';
import { timestampNow } from '../../core/timestamp.ts';
import type { JournalImport, SessionHead } from '../../journal/journal.ts';
import { checkAccess } from '../access/policy.ts';
import type { Principal } from '../access/principal.ts';
import { nextTurn } from '../turns.ts';
import type { WorkspaceParts } from './workspace-parts.ts';

/** Events are brought to the journal so many at a time, or fewer that have so many characters: others have the event loop in between. */
const pageEvents = 500;
const pageChars = 256 * 1_024;

/** How recordings are imported. */
export interface ImportOptions {
  /** The name of the session, in the place of its own. */
  as?: string | undefined;
  existing: 'refuse' | 'skip';
}

/** What was imported, and what was left out. */
export interface Imported {
  imported: Pick<SessionHead, 'session_id' | 'epoch' | 'seq'>[];
  skipped: string[];
}

type Parts = Pick<WorkspaceParts, 'journal' | 'store'>;
/** What the header of a recording says of its session. */
type Recorded = Pick<RecordingHeader, 'session_id' | 'epoch' | 'seq' | 'origin'>;

interface Importing {
  begin: (recorded: Recorded) => Promise<JournalImport>;
  as: string | undefined;
  skipsExisting: boolean;
}

/** Brings recorded sessions here, which then stay as they are. @throws ShannonDashError the first fault; what was whole before it stays, which the error says */
export async function importRecordings(
  parts: Parts,
  principal: Principal,
  bytes: AsyncIterable<Uint8Array>,
  { as, existing }: ImportOptions,
): Promise<Imported> {
  const importing: Importing = { begin: (recorded) => beginImport(parts, recorded, principal), as, skipsExisting: existing === 'skip' };
  const done: Imported = { imported: [], skipped: [] };
  let current: Page | undefined;
  let recordings = 0;
  try {
    for await (const { header, event, chars } of readRecordings(bytes, 'the recording')) {
      if (event === undefined) {
        if (++recordings > limits.importedSessions)
          throw new ShannonDashError('TOO_LARGE', `A file of recordings must have at most ${limits.importedSessions} sessions`);
        if (recordings > 1 && importing.as !== undefined)
          throw new ShannonDashError('INVALID', 'as: there are several recordings, and two sessions cannot have one name');
        current = await begin(header, importing, done);
      } else await current?.add(event, chars);
      // With a name for one there must be no other: that is known at the end.
      if (importing.as === undefined && current?.isWhole === true) {
        await finish(current, done);
        current = undefined;
      }
    }
    if (current !== undefined) await finish(current, done);
    return done;
  } catch (error) {
    // What keeps it from being dropped is the same again, or the end of the server: the next one deletes what is left.
    await current?.drop().catch(() => undefined);
    if (!(error instanceof ShannonDashError) || done.imported.length === 0) throw error;
    const before = `before it ${done.imported.length} ${done.imported.length === 1 ? 'recording was' : 'recordings were'} imported`;
    throw new ShannonDashError(error.code, `${error.message}; ${before}`, error.details, { cause: error });
  }
}

async function finish(page: Page, { imported }: Imported): Promise<void> {
  const { session_id, epoch, seq } = await page.finish();
  imported.push({ session_id, epoch, seq });
}

async function begin(
  header: RecordingHeader,
  { begin: beginImport, as, skipsExisting }: Importing,
  done: Imported,
): Promise<Page | undefined> {
  const session_id = as ?? header.session_id;
  try {
    return new Page(session_id, header.seq, await beginImport({ ...header, session_id }));
  } catch (error) {
    if (!skipsExisting || !(error instanceof ShannonDashError) || error.code !== 'CONFLICT') throw error;
    done.skipped.push(session_id);
    return undefined;
  }
}

/**
 * Begins to bring a session here; `finish` resolves once its state is known.
 * @throws ShannonDashError CONFLICT the session exists; NOT_FOUND its name is none that the principal may reach
 */
async function beginImport(
  { journal, store }: Parts,
  { session_id, epoch, seq, origin }: Recorded,
  principal: Principal,
): Promise<JournalImport> {
  checkAccess(principal, 'import', session_id);
  const { created_at, skills, metadata } = origin;
  const imported = { at: timestampNow(), by: principal.by, seq };
  const bringing = await journal.beginImport({ session_id, created_at, skills, metadata, imported }, epoch);
  return {
    add: (events) => bringing.add(events),
    finish: async () => {
      const head = await bringing.finish();
      await store.load(session_id);
      return head;
    },
    drop: () => bringing.drop(),
  };
}

/** A session that is being imported, and the events that it has yet to get. */
class Page {
  readonly #session_id: string;
  readonly #last: number;
  readonly #import: JournalImport;
  #events: SessionEvent[] = [];
  #chars = 0;
  #seq = 0;

  constructor(session_id: string, last: number, journalImport: JournalImport) {
    this.#session_id = session_id;
    this.#last = last;
    this.#import = journalImport;
  }

  get isWhole(): boolean {
    return this.#seq === this.#last;
  }

  async add(event: SessionEvent, chars: number): Promise<void> {
    this.#events.push({ ...event, session_id: this.#session_id });
    this.#chars += chars;
    this.#seq = event.seq;
    if (this.#events.length < pageEvents && this.#chars < pageChars) return;
    await this.#write();
    await nextTurn();
  }

  async finish(): Promise<SessionHead> {
    await this.#write();
    return this.#import.finish();
  }

  drop(): Promise<void> {
    return this.#import.drop();
  }

  /** @throws ShannonDashError a fault of an event, by its place in the history */
  async #write(): Promise<void> {
    const [first] = this.#events;
    if (first === undefined) return;
    const events = this.#events;
    this.#events = [];
    this.#chars = 0;
    try {
      await this.#import.add(events);
    } catch (error) {
      if (!(error instanceof ShannonDashError)) throw error;
      const message = error.message.replace(/^events\[(\d+)\]/, (_, index) => `event ${first.seq + Number(index)} of ${this.#session_id}`);
      throw new ShannonDashError(error.code, message, error.details, { cause: error });
    }
  }
}
