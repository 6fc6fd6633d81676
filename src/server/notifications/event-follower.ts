import type { JournalEvent } from '../../journal/journal.ts';
import type { Delivery } from '../sessions/watching/delivery.ts';
import type { SessionMessage, Subscription, Watcher } from '../sessions/watching/watcher.ts';
import type { WorkspaceAccess } from '../workspace/workspace-access.ts';

/** Events that are read of a history at a time. */
const pieceEvents = 500;

interface Place {
  epoch: string;
  seq: number;
}

export interface FollowerOptions {
  access: WorkspaceAccess;
  /** Whether an event of this type is to be taken. */
  wants: (type: string) => boolean;
  /** Takes an event, once. Those of a session come in their order. */
  take: (event: JournalEvent, epoch: string) => void;
  /** Takes why it does not go on. */
  onProblem: (error: unknown) => void;
}

/** Follows every session of a workspace from where it was before, also over a restart. It is a watcher of all sessions like any other. */
export class EventFollower implements Watcher {
  readonly #options: FollowerOptions;
  readonly #places = new Map<string, Place>();
  #subscription: Subscription | undefined;
  #isClosed = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** How far it has come in each session. */
  get places(): ReadonlyMap<string, Readonly<Place>> {
    return this.#places;
  }

  /**
   * Resolves once what came since is taken.
   * @param since how far it had come; undefined: it begins now
   */
  async follow(since: ReadonlyMap<string, Place> | undefined): Promise<void> {
    const { access, wants } = this.#options;
    await access.ready();
    const { sessions, close } = await access.sessions();
    close();
    if (this.#isClosed) return;
    const missed: { session: string; from: Place; through: number }[] = [];
    // In one turn of the event loop with the subscription: no event comes between.
    for (const { session_id: session } of sessions) {
      const { epoch, seq, isImported } = this.#head(session);
      const known = since?.get(session);
      const from = since === undefined || isImported ? seq : known?.epoch === epoch ? known.seq : 0;
      this.#places.set(session, { epoch, seq });
      if (from < seq) missed.push({ session, from: { epoch, seq: from }, through: seq });
    }
    this.#subscription = access.watchAll(this, wants);
    for (const each of missed) await this.#catchUp(each);
  }

  close(): void {
    this.#isClosed = true;
    this.#subscription?.close();
  }

  deliver({ events }: Delivery): void {
    this.#take(events);
  }

  async replay(read: () => Promise<readonly JournalEvent[]>): Promise<boolean> {
    this.#take(await read());
    return !this.#isClosed;
  }

  tell({ name, payload }: SessionMessage): void {
    // Its id may be used again, from the first event on.
    if (name === 'session:deleted') this.#places.delete(payload.session_id);
  }

  /** The states with which a watcher begins are not needed. */
  tellPaced(): Promise<boolean> {
    return Promise.resolve(!this.#isClosed);
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  cut(): void {
    if (this.#isClosed) return;
    const since = new Map(this.#places);
    // What cannot be read is told by whoever reads it; here it is tried again from where it stands.
    setTimeout(() => void this.follow(since).catch(this.#options.onProblem), 5_000).unref();
  }

  #take(events: readonly JournalEvent[]): void {
    const { wants, take } = this.#options;
    let place: Place | undefined;
    let session = '';
    for (const event of events) {
      if (event.session_id !== session) {
        session = event.session_id;
        place = this.#placeOf(session);
      }
      if (place === undefined || event.seq <= place.seq) continue;
      place.seq = event.seq;
      if (wants(event.type)) take(event, place.epoch);
    }
  }

  #placeOf(session: string): Place | undefined {
    let place = this.#places.get(session);
    if (place !== undefined) return place;
    try {
      place = { epoch: this.#head(session).epoch, seq: 0 };
    } catch {
      // Deleted meanwhile.
      return undefined;
    }
    this.#places.set(session, place);
    return place;
  }

  #head(session: string): Place & { isImported: boolean } {
    const history = this.#options.access.history(session, 1);
    history.close();
    return { epoch: history.epoch, seq: history.seq, isImported: history.isImported };
  }

  async #catchUp({ session, from: { epoch, seq }, through }: { session: string; from: Place; through: number }): Promise<void> {
    const { access, wants, take } = this.#options;
    for (let after = seq; !this.#isClosed && this.#places.get(session)?.epoch === epoch;) {
      const history = access.history(session, 1);
      const events = await history.read({ after, through, limit: pieceEvents, filter: wants }).finally(() => history.close());
      for (const event of events) take(event, epoch);
      const last = events.at(-1);
      if (last === undefined || events.length < pieceEvents) return;
      after = last.seq;
    }
  }
}
