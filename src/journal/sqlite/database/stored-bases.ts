import type { Snapshot } from '../../journal.ts';
import { isSoundState, packedState, unpacked, type PackedState } from '../kept/packed-state.ts';
import type { NewestEvents } from '../newest-events.ts';
import { placeOf, placesPerSession, type ChunkRow } from './chunks.ts';
import type { Statements } from './sqlite-statements.ts';

/** What is deleted in one transaction: chunks, about half a megabyte, and fewer where that takes longer. */
const stepChunks = 8;
const stepMs = 4;
/** Ids looked at in one transaction: some pages. */
const stepIds = 1_000;

/** The state from which a history goes on that retention has cut, as the database has it. */
export interface BaseRow extends PackedState {
  seq: number;
}

/** Where the histories begin from which retention has taken something: the state there, and what of the events before is left to delete. */
export class StoredBases {
  readonly #statements: Statements;
  readonly #onProblem: (sentence: string) => void;
  /** How far the ids are swept of the session that is swept now; undefined behind the last. */
  #swept: { key: number; cut: number; id: string | undefined } | undefined;

  constructor(statements: Statements, onProblem: (sentence: string) => void) {
    this.#statements = statements;
    this.#onProblem = onProblem;
  }

  /** The last event that was taken from each session, by its key. */
  all(): Map<number, number> {
    const rows = this.#statements.bases.all() as unknown as { session: number; seq: number }[];
    return new Map(rows.map(({ session, seq }) => [session, seq]));
  }

  /** Part of a transaction. @param packed the JSON, deflated */
  save(key: number, { seq, version }: Snapshot, packed: Uint8Array): void {
    const { sum, state } = packedState(whereOf(seq), version, packed);
    this.#statements.saveBase.run(key, seq, version, sum, state);
    this.#statements.dropOldSnapshot.run(key, seq);
  }

  load({ key, head }: NewestEvents): Snapshot | undefined {
    const [row] = key === undefined ? [] : (this.#statements.loadBase.all(key) as unknown as BaseRow[]);
    if (row === undefined) return undefined;
    if (isSoundBase(row)) return unpacked(row.seq, row);
    this.#onProblem(`The state of ${head.session_id} at event ${row.seq}, from which its history goes on, is damaged`);
    return undefined;
  }

  /** Part of a transaction: deletes some of what lies before the cut of a session. @returns whether more is left */
  sweep({ key, head: { cut = 0 } }: NewestEvents): boolean {
    if (key === undefined) return false;
    const begin = placeOf(key, 0);
    const chunks = this.#statements.chunksThrough.all(begin, placeOf(key, cut), stepChunks + 1) as unknown as ChunkRow[];
    // The last one may reach beyond the cut: then it stays until the next.
    const through = ({ place, json }: ChunkRow, next: ChunkRow | undefined) =>
      ((next?.place ?? place + json.split('\n').length) % placesPerSession) - 1;
    const [first] = chunks;
    if (first === undefined || through(first, chunks[1]) > cut) return false;
    const endMs = performance.now() + stepMs;
    if (this.#sweepIds(key, cut)) return true;
    for (const [index, chunk] of chunks.slice(0, stepChunks).entries()) {
      const last = through(chunk, chunks[index + 1]);
      if (last > cut) return false;
      this.#statements.deleteChunk.run(chunk.place);
      this.#statements.deleteBlocksThrough.run(begin, chunk.place, last);
      this.#statements.dropRungs.run(begin, placeOf(key, last));
      if (performance.now() >= endMs) return true;
    }
    return chunks.length > stepChunks;
  }

  /**
   * Deletes ids of events before a cut, in the order in which they lie: those of events that follow each other lie apart, and a page for
   * each would be written. As long as they are not all gone the chunks stay, so that a server that starts goes on with both.
   */
  #sweepIds(key: number, cut: number): boolean {
    if (this.#swept?.key !== key || this.#swept.cut !== cut) this.#swept = { key, cut, id: '' };
    const { idBehind, deleteIdsThrough, deleteIdsBehind } = this.#statements;
    const swept = this.#swept;
    if (swept.id === undefined) return false;
    const [row] = idBehind.all(key, swept.id, stepIds) as { id: string }[];
    if (row === undefined) deleteIdsBehind.run(key, swept.id, cut);
    else deleteIdsThrough.run(key, swept.id, row.id, cut);
    swept.id = row?.id;
    return true;
  }
}

/** Whether it is what was written. */
export function isSoundBase(row: BaseRow): boolean {
  return isSoundState(whereOf(row.seq), row);
}

function whereOf(seq: number): string {
  return `base ${seq}`;
}
