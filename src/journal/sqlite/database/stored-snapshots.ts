import { isRungApart, isRungSmall } from '../../snapshot-ladder.ts';
import type { Snapshot, SnapshotQuery } from '../../journal.ts';
import { isSoundState, packedState, unpacked, type PackedState } from '../kept/packed-state.ts';
import type { NewestEvents } from '../newest-events.ts';
import { corruptCode, reasonOf, sqliteCodeOf } from './sqlite-codes.ts';
import { checksumOf, placeOf, placesPerSession } from './chunks.ts';
import type { Statements } from './sqlite-statements.ts';

interface SnapshotRow extends Snapshot {
  sum: number | null;
}

interface RungRow extends PackedState {
  place: number;
}

/** The snapshots of the sessions' states. They are a cache: one that is not what was saved is none. */
export class StoredSnapshots {
  readonly #statements: Statements;
  readonly #onProblem: (sentence: string) => void;

  constructor(statements: Statements, onProblem: (sentence: string) => void) {
    this.#statements = statements;
    this.#onProblem = onProblem;
  }

  /** Whether a snapshot may become a rung of the ladder: then it is worth being packed. */
  isRung({ key }: NewestEvents, { seq }: Snapshot): boolean {
    return key === undefined ? isRungApart(seq, 0) : isRungApart(seq, this.#lastRung(key, seq));
  }

  /** Part of a transaction. @param packed its JSON, deflated, where it may become a rung */
  save({ key }: NewestEvents, { seq, version, json }: Snapshot, packed: Uint8Array | undefined): void {
    if (key === undefined) return;
    const [newest] = this.#statements.newestSnapshot.all(key) as unknown as Pick<SnapshotRow, 'seq' | 'version'>[];
    // A version knows nothing of the states of another.
    if (newest !== undefined && newest.version !== version) this.dropRungs(key);
    const isRung = packed !== undefined && this.#addRung(key, { seq, version, packed });
    // A rung is a tenth of its size, and as good.
    if (!isRung || newest?.version !== version) this.#statements.saveSnapshot.run(key, seq, version, json, checksumOf(seq, json));
  }

  load(session: NewestEvents, { version, through = Infinity }: SnapshotQuery): Snapshot | undefined {
    const { key, head } = session;
    if (key === undefined) return undefined;
    try {
      const newest = this.#newest(key, head.session_id);
      const isFound = newest !== undefined && newest.seq <= through && newest.version === (version ?? newest.version);
      const rung = isFound && this.#lastRung(key, through) <= newest.seq ? undefined : this.#rung(session, key, { version, through });
      return isFound && newest.seq >= (rung?.seq ?? 0) ? newest : rung;
    } catch (error) {
      if (sqliteCodeOf(error) !== corruptCode) throw error;
      this.#onProblem(`The snapshot of ${head.session_id} cannot be read (${reasonOf(error)}): its history is folded anew`);
      return undefined;
    }
  }

  /** Part of a transaction. */
  dropRungs(key: number): void {
    this.#statements.dropRungs.run(placeOf(key, 0), placeOf(key + 1, 0));
  }

  #addRung(key: number, { seq, version, packed }: { seq: number; version: number; packed: Uint8Array }): boolean {
    const last = this.#lastRung(key, seq);
    const [{ bytes }] = this.#statements.eventBytes.all(placeOf(key, last), placeOf(key, seq)) as [{ bytes: number }];
    if (!isRungApart(seq, last) || !isRungSmall(packed.length, bytes)) return false;
    const place = placeOf(key, seq);
    const { sum, state } = packedState(String(place), version, packed);
    this.#statements.saveRung.run(place, version, sum, state);
    return true;
  }

  #newest(key: number, sessionId: string): Snapshot | undefined {
    const [row] = this.#statements.loadSnapshot.all(key) as unknown as SnapshotRow[];
    if (row === undefined) return undefined;
    const { sum, ...snapshot } = row;
    if (sum === null || sum === checksumOf(snapshot.seq, snapshot.json)) return snapshot;
    this.#onProblem(`The snapshot of ${sessionId} is damaged: its history is folded anew`);
    // It would stand in the way of the next one, if it says that it is newer.
    this.#statements.dropSnapshot.run(key);
    return undefined;
  }

  #rung({ head }: NewestEvents, key: number, { version, through }: { version: number | undefined; through: number }): Snapshot | undefined {
    let most = Math.min(through, head.seq);
    for (;;) {
      const [row] = this.#statements.loadRung.all(placeOf(key, 0), placeOf(key, most), version ?? null) as unknown as RungRow[];
      if (row === undefined) return undefined;
      const { place } = row;
      const seq = place % placesPerSession;
      if (isSoundState(String(place), row)) return unpacked(seq, row);
      this.#onProblem(`The state of ${head.session_id} at event ${seq} is damaged: it is folded from an earlier one`);
      this.#statements.dropRungs.run(place, place + 1);
      most = seq - 1;
    }
  }

  #lastRung(key: number, seq: number): number {
    const [row] = this.#statements.lastRung.all(placeOf(key, 0), Math.min(placeOf(key, seq), placeOf(key + 1, 0) - 1)) as {
      place: number;
    }[];
    return row === undefined ? 0 : row.place % placesPerSession;
  }
}
