import type { Snapshot } from '../../journal.ts';
import type { NewestEvents } from '../newest-events.ts';
import { corruptCode, reasonOf, sqliteCodeOf } from './sqlite-codes.ts';
import { checksumOf } from './chunks.ts';
import type { Statements } from './sqlite-statements.ts';

interface SnapshotRow extends Snapshot {
  sum: number | null;
}

/** The snapshots of the sessions' states. They are a cache: one that is not what was saved is none. */
export class StoredSnapshots {
  readonly #statements: Statements;
  readonly #onProblem: (sentence: string) => void;

  constructor(statements: Statements, onProblem: (sentence: string) => void) {
    this.#statements = statements;
    this.#onProblem = onProblem;
  }

  save({ key }: NewestEvents, { seq, version, json }: Snapshot): void {
    if (key !== undefined) this.#statements.saveSnapshot.run(key, seq, version, json, checksumOf(seq, json));
  }

  load({ key, head }: NewestEvents): Snapshot | undefined {
    if (key === undefined) return undefined;
    try {
      const [row] = this.#statements.loadSnapshot.all(key) as unknown as SnapshotRow[];
      if (row === undefined) return undefined;
      const { sum, ...snapshot } = row;
      if (sum === null || sum === checksumOf(snapshot.seq, snapshot.json)) return snapshot;
      this.#onProblem(`The snapshot of ${head.session_id} is damaged: its history is folded anew`);
      // It would stand in the way of the next one, if it says that it is newer.
      this.#statements.dropSnapshot.run(key);
    } catch (error) {
      if (sqliteCodeOf(error) !== corruptCode) throw error;
      this.#onProblem(`The snapshot of ${head.session_id} cannot be read (${reasonOf(error)}): its history is folded anew`);
    }
    return undefined;
  }
}
