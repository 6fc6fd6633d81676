import { isLive, type SessionState } from '../../core/protocol/session-state.ts';
import type { Journal } from '../../journal/journal.ts';
import { nextTurn } from '../turns.ts';
import { snapshotOf } from './kept-states.ts';
import type { SessionStore } from './session-store.ts';
import { isCurrent, rolledUp, type StoredSession } from './stored-session.ts';

/** What a journal keeps. What no rule names is kept for ever. */
export interface RetentionRules {
  /** A session that is over is removed so long after its last event, or after it was imported. */
  ageMs?: number | undefined;
  /** The newest events of each session that are kept. A tenth more may be there: then the older ones go at once. */
  events?: number | undefined;
  /** Bytes of the whole journal: beyond that, sessions that are over are removed, the one that changed first before the others. */
  bytes?: number | undefined;
}

export interface RetentionOptions {
  journal: Journal;
  store: SessionStore;
  rules: RetentionRules;
  /** Resolves once what other servers have left is taken up. */
  ready: () => Promise<void>;
  /** Takes a sentence for the person that runs the server. */
  onWarning: (sentence: string) => void;
  onProblem: (error: unknown) => void;
}

/** How often it looks. */
const lookMs = 2_000;
/** A history is cut when it has so many events too many, or a tenth: a cut for a few would come at each look. */
const leastSlack = 100;

/**
 * Removes what a journal is not to keep of sessions that are over: the older events of long ones, and whole sessions. What is live and
 * what is pinned stays whole.
 */
export class Retention {
  readonly #options: RetentionOptions;
  #timer: NodeJS.Timeout | undefined;
  #isTooLarge = false;
  #isClosed = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  open(): void {
    const { ageMs, events, bytes } = this.#options.rules;
    if (bytes !== undefined && this.#options.journal.usedBytes() === undefined) {
      this.#options.onWarning(
        'retain_size does nothing: PostgreSQL does not say how much of its tables is in use; retain and retain_events work',
      );
    }
    if (ageMs !== undefined || events !== undefined || bytes !== undefined) this.#lookSoon(0);
  }

  /** What is under way ends with its next step: the next server goes on with it. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #lookSoon(afterMs: number): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      const looking = this.#look().catch((error: unknown) => {
        if (!this.#isClosed) this.#options.onProblem(error);
      });
      void looking.then(() => this.#lookSoon(lookMs));
    }, afterMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    await this.#options.ready();
    await this.#boundEvents();
    await this.#boundAge();
    await this.#boundBytes();
  }

  async #boundEvents(): Promise<void> {
    const { store, rules } = this.#options;
    const { events = Infinity } = rules;
    const most = events + Math.max(leastSlack, events / 10);
    const concerns = (session: StoredSession) => session.head.seq - (session.head.cut ?? 0) > most && mayBeRemovable(session);
    for (const session of this.#sessions(concerns)) {
      const { session_id, seq } = session.head;
      if (!isRemovable(await this.#stateOf(session))) continue;
      const base = await store.at(session_id, seq - events);
      if (base === undefined || store.get(session_id) !== session) continue;
      // It may have been pinned, or have gone on, while it was read.
      if (!isRemovable(await this.#stateOf(session))) continue;
      await this.#cut(session, base);
    }
  }

  async #boundAge(): Promise<void> {
    const { ageMs } = this.#options.rules;
    if (ageMs === undefined) return;
    const before = new Date(Date.now() - ageMs).toISOString();
    const isOld = ({ head: { updated_at, imported } }: StoredSession) => updated_at < before && (imported?.at ?? '') < before;
    for (const session of this.#sessions((each) => isOld(each) && mayBeRemovable(each))) await this.#remove(session);
  }

  async #boundBytes(): Promise<void> {
    const { journal, rules, onWarning } = this.#options;
    const { bytes } = rules;
    if (bytes === undefined) return;
    // One that cannot say is told of at the start.
    const usedBytes = () => journal.usedBytes() ?? 0;
    if (usedBytes() > bytes) {
      for (const session of this.#sessions(mayBeRemovable)) {
        await this.#remove(session);
        if (usedBytes() <= bytes) break;
      }
    }
    const isTooLarge = !this.#isClosed && usedBytes() > bytes;
    if (isTooLarge && !this.#isTooLarge) {
      const [used, most] = [usedBytes(), bytes].map((each) => Math.ceil(each / 1e6));
      onWarning(
        `The journal has ${used} MB, more than the ${most} MB that it may have (retain_size), and all that is left is live or pinned: end or unpin sessions`,
      );
    }
    this.#isTooLarge = isTooLarge;
  }

  /** The sessions of which something may have to go, the one that changed first before the others. */
  *#sessions(concerns: (session: StoredSession) => boolean): Generator<StoredSession> {
    const { store } = this.#options;
    const found = [...store.all()].filter(concerns);
    for (const session of found.toSorted((a, b) => (a.head.updated_at < b.head.updated_at ? -1 : 1))) {
      if (this.#isClosed) return;
      if (store.get(session.head.session_id) === session) yield session;
    }
  }

  /** Removes a session that is over, and that nobody has pinned: first its events, by and by, and then itself. */
  async #remove(session: StoredSession): Promise<void> {
    const { journal, store } = this.#options;
    const { session_id } = session.head;
    await nextTurn();
    if (!isRemovable(await this.#stateOf(session))) return;
    const state = await store.load(session_id);
    // It may have been pinned, or have gone on, while it was read.
    if (state === undefined || !isRemovable(state)) return;
    if (state.seq > 0) await this.#cut(session, state);
    // It may have gone on meanwhile: then its state stays.
    if (this.#isClosed || store.get(session_id) !== session || session.head.seq !== state.seq) return;
    await journal.delete(session_id);
  }

  #cut({ head }: StoredSession, base: SessionState): Promise<void> {
    return this.#options.journal.cut(head, snapshotOf(base));
  }

  async #stateOf({ head: { session_id } }: StoredSession): Promise<SessionState | undefined> {
    return this.#options.store.attachments(session_id);
  }
}

/** What memory knows of a session as it is now. */
function knownState(session: StoredSession): SessionState | undefined {
  return isCurrent(session) ? rolledUp(session) : undefined;
}

/** One of which nothing is known yet is looked at. */
function mayBeRemovable(session: StoredSession): boolean {
  const state = knownState(session);
  return state === undefined || isRemovable(state);
}

function isRemovable(state: SessionState | undefined): boolean {
  return state !== undefined && !state.pinned && !isLive(state.status) && state.orchestrator?.attached !== true;
}
