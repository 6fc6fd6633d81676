import { ShannonDashError } from '../../core/protocol/errors.ts';
import { detachedId } from '../../core/ids.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { timestampNow } from '../../core/timestamp.ts';
import { isOvertaken } from '../../journal/expected-seq.ts';
import type { AppendOptions, AppendResult, Journal } from '../../journal/journal.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import { nextTurn } from '../turns.ts';
import { holderOf } from '../../core/fold/executor.ts';
import { abandoned } from './attachment/attached.ts';
import type { Step } from './rules/command-step.ts';
import { serverRestarted } from './attachment/detachment.ts';

/** What `decide` makes of a state: the events to append, if any, and the result for the caller. */
export interface Decided<Result> {
  events: readonly Step[];
  result: Result;
}

/** How often a decision is taken again because another server, or a program, has written first. */
const mostTries = 100;
/** From this try on, the writer waits before it decides again, at most so many milliseconds. */
const [patientTries, longestWaitMs] = [10, 50];

/** Writes what was decided on the state of a session, and only on that state. */
export class StateWriter {
  readonly #journal: Journal;
  readonly #store: SessionStore;

  constructor(journal: Journal, store: SessionStore) {
    this.#journal = journal;
    this.#store = store;
  }

  /**
   * The state to decide on. Attachments whose server is gone are ended first. Waiting events are committed first: they would
   * come between the state and what is decided on it.
   * @throws ShannonDashError NOT_FOUND
   */
  async state(sessionId: string): Promise<SessionState> {
    const state = await this.#settled(sessionId);
    if (state === undefined) throw notFound(sessionId);
    return state;
  }

  /**
   * Writes what `decide` makes of the state. When another one has written meanwhile, it decides again.
   * @throws ShannonDashError NOT_FOUND, UNAVAILABLE others write all the time, and what `decide` throws
   */
  write<Result>(
    sessionId: string,
    decide: (state: SessionState) => Decided<Result> | Promise<Decided<Result>>,
    options?: AppendOptions,
  ): Promise<Result> {
    const onState = (state: SessionState | undefined) => {
      if (state === undefined) throw notFound(sessionId);
      return decide(state);
    };
    return this.#write(sessionId, onState, options).then(({ result }) => result);
  }

  /** The same for a session that need not exist yet. It tells where the events stand. */
  writeOrCreate(sessionId: string, decide: (state: SessionState | undefined) => readonly Step[]): Promise<AppendResult> {
    return this.#write(sessionId, (state) => ({ events: decide(state), result: undefined })).then(({ appended }) => {
      if (appended === undefined) throw notFound(sessionId);
      return appended;
    });
  }

  /** Writes steps that hold whatever else happens: each has an id of its own, and is written once. */
  append(sessionId: string, events: readonly Step[], options: AppendOptions = { latency: 'low' }): Promise<AppendResult> {
    const timestamp = timestampNow();
    return this.#journal.append(
      sessionId,
      events.map((event) => ({ ...event, timestamp })),
      options,
    );
  }

  async #write<Result>(
    sessionId: string,
    decide: (state: SessionState | undefined) => Decided<Result> | Promise<Decided<Result>>,
    options: AppendOptions = { latency: 'low' },
  ): Promise<{ result: Result; appended: AppendResult | undefined }> {
    for (let tries = 1; tries <= mostTries; tries++) {
      const state = await this.#settled(sessionId);
      const { events, result } = await decide(state);
      if (events.length === 0) return { result, appended: undefined };
      try {
        const appended = await this.append(sessionId, events, { ...options, expectedSeq: state?.seq ?? 0 });
        // Whoever goes on from here finds it in the state. It is written, also where it cannot be read again now.
        if (options.latency !== 'lowest') await this.#store.reach(sessionId, appended.last_seq).catch(() => undefined);
        return { result, appended };
      } catch (error) {
        if (!isOvertaken(error)) throw error;
      }
      await this.#pause(tries);
    }
    throw new ShannonDashError('UNAVAILABLE', `Others write to ${sessionId} all the time; send it again in a moment`);
  }

  /** The newest state, after the attachments whose server is gone were ended in the journal. */
  async #settled(sessionId: string): Promise<SessionState | undefined> {
    const state = await this.#newest(sessionId);
    const places = state === undefined ? [] : abandoned(state, this.#journal.servers());
    if (state === undefined || places.length === 0) return state;
    const ends = places.flatMap((place): Step[] => {
      const holder = holderOf(state, place);
      if (holder === undefined) return [];
      const { instance_id, lease } = holder;
      const under = place === 'delegate' ? { under: true } : {};
      return [
        {
          type: 'orchestrator:detached',
          id: detachedId(lease.term),
          data: { instance_id, term: lease.term, ...serverRestarted, ...under },
        },
      ];
    });
    try {
      await this.append(sessionId, ends, { latency: 'low', expectedSeq: state.seq });
    } catch (error) {
      if (!isOvertaken(error)) throw error;
    }
    return this.#newest(sessionId);
  }

  async #newest(sessionId: string): Promise<SessionState | undefined> {
    const inMemory = () => {
      const session = this.#store.get(sessionId);
      return session?.isBehind === true ? undefined : session?.state;
    };
    // Events that come in while the state is folded from the journal are folded with it.
    if (inMemory() === undefined) await this.#store.load(sessionId);
    this.#journal.flush();
    return inMemory() ?? this.#store.load(sessionId);
  }

  /** Gives the feed time to tell what the others have written. */
  async #pause(tries: number): Promise<void> {
    if (tries < patientTries) await nextTurn();
    else await new Promise((resolve) => setTimeout(resolve, Math.min(tries - patientTries, longestWaitMs)));
  }
}

function notFound(sessionId: string): ShannonDashError {
  return new ShannonDashError('NOT_FOUND', `Session not found: ${sessionId}`);
}
