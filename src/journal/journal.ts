import type { Cursor, SessionEvent } from '../core/protocol/event.ts';
import type { SessionOrigin } from '../core/protocol/session-state.ts';

/** An event to be journalled. Without an `id` the journal makes one. */
export interface NewEvent {
  type: string;
  data: Record<string, unknown>;
  /** ISO 8601 UTC with milliseconds. */
  timestamp: string;
  id?: string | undefined;
  /** The id was made up for this event: no use to look whether it is journalled already. */
  isIdNew?: boolean | undefined;
  source?: string | undefined;
  /** When the server received it, where the producer's clock says something else; like `timestamp`. */
  received_at?: string | undefined;
  /** Half of a surrogate pair in its data becomes U+FFFD, for a channel that never refuses data. Else it is refused. */
  mendsTexts?: boolean | undefined;
}

/** An event that the journal holds: its JSON as the wire carries it, parsed only when somebody looks inside. */
export class JournalEvent {
  readonly session_id: string;
  readonly seq: number;
  readonly type: string;
  readonly json: string;
  #event: SessionEvent | undefined;

  constructor(session_id: string, seq: number, type: string, json: string, event?: SessionEvent) {
    this.session_id = session_id;
    this.seq = seq;
    this.type = type;
    this.json = json;
    this.#event = event;
  }

  get event(): SessionEvent {
    return (this.#event ??= JSON.parse(this.json) as SessionEvent);
  }
}

/** A session that the journal holds. */
export interface SessionHead extends SessionOrigin {
  /** The history's id: another one than before when a deleted session's id is used again. */
  epoch: string;
  /** The newest event; 0 before the first. */
  seq: number;
  updated_at: string;
  /** The newest event that retention has taken away; absent where it has taken none. */
  cut?: number | undefined;
}

/** What an append was given: where its first and last events stand. Those that were journalled before keep their place. */
export interface AppendResult {
  epoch: string;
  first_seq: number;
  last_seq: number;
  seqs: number[];
}

export interface AppendOptions {
  /** The newest event of the state that the append was decided on: it is refused when another one was written since. */
  expectedSeq?: number | undefined;
  /** How soon the caller needs the commit. Default: `normal`. */
  latency?: AppendLatency | undefined;
}

type AppendLatency =
  /** Nobody waits for the commit: in a burst the append may wait a few milliseconds for others. */
  | 'relaxed'
  /** A program waits: the append is committed with the next group. */
  | 'normal'
  /** A person waits: the append is committed at once, with everything that was waiting before it. */
  | 'low'
  /** The same, and the append may resolve before the listeners are told; `flush` tells them. */
  | 'lowest';

/**
 * What is new in the journal, in its order. The events of one change belong to one session and have following `seq`s;
 * appends to one session that follow each other in a commit are one change.
 */
export type JournalChange =
  /** Empty; or imported, and then it has all its events, of which none is told. */
  | { kind: 'created'; head: SessionHead }
  | { kind: 'appended'; session_id: string; epoch: string; events: JournalEvent[] }
  | { kind: 'deleted'; session_id: string }
  /** Retention has taken the events through this one away. */
  | { kind: 'cut'; session_id: string; epoch: string; through: number }
  /**
   * The feed has missed changes of this session: the listener reads on in the journal. A keeper in this process misses none.
   * epoch: its history now, where that is known; absent where it is gone, or nobody knows.
   */
  | { kind: 'behind'; session_id: string; epoch?: string | undefined };

/** Notes new events of a session behind the changes of the same commit. */
export function noteAppended(changes: JournalChange[], appended: Extract<JournalChange, { kind: 'appended' }>): void {
  const last = changes.at(-1);
  if (last?.kind === 'appended' && last.session_id === appended.session_id) for (const event of appended.events) last.events.push(event);
  else changes.push(appended);
}

/** Gets every change after it is durable; all changes of one commit at once. Must not throw. */
export type JournalListener = (changes: JournalChange[]) => void;

/** Which events of a history are wanted. Others are skipped, and not counted against a limit. */
export interface EventsWanted {
  /** Only types that pass. */
  filter?: ((type: string) => boolean) | undefined;
  /** Only what happened at this time or later, by the server's clock; like `timestamp`. */
  since?: string | undefined;
  /** Only what happened at this time or before. */
  until?: string | undefined;
}

/** Which part of a session's history to read. */
export interface ReadRange extends EventsWanted {
  /** Events with a greater `seq`; 0 reads from the start. */
  after: number;
  /** At most so many events. */
  limit: number;
  /** Events up to and with this `seq`; without it, up to the newest. */
  through?: number | undefined;
  /** Stops with the event that brings the JSON read to so many characters, so that large events do not fill the memory. */
  maxChars?: number | undefined;
  /** From the newest event of the range back to the oldest. */
  reverse?: boolean | undefined;
}

/** The state at an event, kept so that it need not be folded again from the first event. A cache: it may be lost. */
export interface Snapshot {
  seq: number;
  /** Which form of state this is; a snapshot of another version is as good as none. */
  version: number;
  json: string;
}

/** Which snapshot is looked for: the newest one of a version, at an event or before. */
export interface SnapshotQuery {
  version?: number | undefined;
  through?: number | undefined;
}

/** Whether a journal takes what is written now, and why not: a sentence without a path. */
export type JournalHealth = { isWritable: true } | { isWritable: false; reason: string };

/** What is not well with a journal that can be written still. */
export interface JournalConcern {
  code: 'disk_nearly_full' | 'write_back_behind';
  /** A sentence. */
  reason: string;
}

/** How a journal is that can be written. */
export interface JournalVitals {
  /** Characters of JSON that are committed to the log and have yet to be moved to where they stay. */
  waitingChars: number;
  /** What is free on its disk; undefined in memory, and where the system does not say. */
  freeBytes: number | undefined;
  /** What whoever runs the server should look at before it is in the way. */
  concerns: readonly JournalConcern[];
}

/** A session that is being brought to a journal. After `finish` or `drop`, or where one of them throws, it takes nothing more. */
export interface JournalImport {
  /**
   * Takes the next events, in order.
   * @throws ShannonDashError INVALID they are not those that come next, each with its own id, by their place in the list; TOO_LARGE
   */
  add(events: readonly SessionEvent[]): Promise<void>;
  /** Makes it a session like any other, all at once. @throws ShannonDashError CONFLICT there is one of that id by now */
  finish(): Promise<SessionHead>;
  /** Gives it up: nothing of it stays. What a sudden end leaves of one is deleted at the next start. */
  drop(): Promise<void>;
}

/**
 * The one place where events live: append-only, gap-free and ordered per session. Hubs learn of new events only from
 * `subscribe`, so that a journal shared by several servers fits behind the same contract.
 */
export interface Journal {
  /** Random id of this journal, the epoch of the sessions it creates. */
  readonly epoch: string;
  /** Random secret of this journal (base64url), for signing links that must survive a restart. */
  readonly secret: string;
  /** Where it is, for people: a path, or `memory`. It never shows a password. */
  readonly location: string;
  /** Creates an empty session. @throws ShannonDashError CONFLICT if it exists */
  create(origin: SessionOrigin): Promise<SessionHead>;
  /**
   * Begins to bring a session here with the history that it has in another journal, or had here: each event keeps its `seq`, id, source
   * and times. Nobody sees it before it is whole. One whose origin says that it is imported takes no more events afterwards.
   * @param epoch the id of its history
   * @throws ShannonDashError CONFLICT the session exists
   */
  beginImport(origin: SessionOrigin, epoch: string): Promise<JournalImport>;
  /**
   * Appends all of the events or none, creating the session if need be; resolves once they are committed. An event
   * whose `id` the session has already is not journalled again.
   * @throws ShannonDashError CONFLICT the same `id` with another type or other data, or (see `isOvertaken`) another event
   * than `expectedSeq` is the newest, or the session is imported; JOURNAL_FAILED nothing was kept
   */
  append(sessionId: string, events: readonly NewEvent[], options?: AppendOptions): Promise<AppendResult>;
  /** Commits at once what waits for the next commit, and tells the listeners all that is committed. */
  flush(): void;
  /**
   * Events in order, or with `reverse` the newest first; empty when there are none, or no such session. In the place of one that cannot be read any more
   * stands one of type `journal:lost`.
   */
  read(sessionId: string, range: ReadRange): Promise<JournalEvent[]>;
  /** The event with this id. */
  find(sessionId: string, id: string): Promise<JournalEvent | undefined>;
  /** Every session, in order of creation. */
  sessions(): Promise<SessionHead[]>;
  head(sessionId: string): Promise<SessionHead | undefined>;
  /**
   * Takes the events through `base.seq` away for good, in steps that hold up nobody: from now on the history begins behind that state. An
   * id is known as long as its event is there. Changes nothing where so much is gone already, nor for another history of that id.
   */
  cut(session: Pick<SessionHead, 'session_id' | 'epoch'>, base: Snapshot): Promise<void>;
  /** The state at the cut, of whichever version; undefined where nothing was cut, or where it is damaged. */
  loadBase(sessionId: string): Promise<Snapshot | undefined>;
  /** Deletes a session with its whole history. False if there is none. */
  delete(sessionId: string): Promise<boolean>;
  subscribe(listener: JournalListener): () => void;
  /** Says that a server works with this journal, until the function that this gives is called. */
  join(serverId: string): () => void;
  /** The servers that work with it now. A lease of any other server has ended. */
  servers(): ReadonlySet<string>;
  /**
   * The sessions that this server is to look after, as whoever wrote to them last is gone: each of them falls to one of the servers
   * that are there. A keeper that other processes do not share has no such rule: all of them are looked after.
   */
  inCareOf?(serverId: string): Promise<string[]>;
  /**
   * Keeps it in the place of an older one, or of those of another version; of the older ones some stay (see `SnapshotLadder`), and one
   * that is not newer may become one of them. One of another history of that id changes nothing: the session may have been deleted and
   * created again meanwhile.
   */
  saveSnapshot(session: Pick<SessionHead, 'session_id' | 'epoch'>, snapshot: Snapshot): Promise<void>;
  /** The newest snapshot; with `through` the newest at that event or before, with `version` the newest of that version. */
  loadSnapshot(sessionId: string, which?: SnapshotQuery): Promise<Snapshot | undefined>;
  /**
   * Keeps how far one has come that reads the journal by and by, by the ids of sessions: all of it or nothing. A session that is not
   * there any more, or has another history, is left out.
   * @param reader its name
   */
  saveCursors(reader: string, cursors: ReadonlyMap<string, Cursor>): Promise<void>;
  /** What a reader of this name has saved, of the sessions that are there; undefined where none has ever saved anything. */
  loadCursors(reader: string): Promise<Map<string, Cursor> | undefined>;
  /**
   * What whoever runs the server should know: sentences, which may name files. What there was to tell before anybody
   * listened is told to the first listener at once.
   */
  onProblem(listener: (sentence: string) => void): () => void;
  /** Whether it could be written now. */
  health(): JournalHealth;
  vitals(): JournalVitals;
  /** Told each time that commits were moved to where they stay, and how long that kept the process. */
  onWriteBack(listener: (elapsedMs: number) => void): () => void;
  /** Tells others who find it taken where the server listens that has it. */
  announce(url: string): void;
  /** Bytes that what it holds takes: on disk without room that is free again, in memory the characters of its events. Undefined where nobody can say. */
  usedBytes(): number | undefined;
  /** Size on disk in bytes; 0 in memory. */
  sizeBytes(): number;
  /**
   * Writes all that is committed at one moment, and nothing half, to a new file: a journal that can be opened as it is. Others work
   * in between.
   * @param path without it, beside the journal: whoever asks for it deletes it
   * @returns its path
   * @throws ShannonDashError UNSUPPORTED it is kept in no file; CONFLICT a backup is being written; why it cannot be written
   */
  backup(path?: string): Promise<string>;
  /** Commits what is waiting, then closes. Appends afterwards are refused. */
  close(): Promise<void>;
}
