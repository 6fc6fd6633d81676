import type { EventsWanted } from '../../journal.ts';
import { isSound, isWhole, mayHold, rowOf, withLines, type Block, type BlockRow } from './blocks.ts';
import { placeOf, placesPerSession } from './chunks.ts';
import { corruptCode, sqliteCodeOf } from './sqlite-codes.ts';
import type { Statements } from './sqlite-statements.ts';

/** Blocks looked at between two looks at the event loop. */
const scanBlocks = 4_096;

/** Events that follow each other, of which some may be wanted. */
export interface Stretch {
  first: number;
  through: number;
}

/**
 * Where in a history events of a type, or of a time, can be. What no block tells of is looked at: the newest events, and what a
 * version before has written.
 */
export class StoredBlocks {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Part of a transaction. @returns the block that further events go into */
  add(key: number, block: Block | undefined, seq: number, lines: readonly string[]): Block | undefined {
    const more = withLines(block, seq, lines);
    if (!isWhole(more)) return more;
    const { place, through, earliest, latest, types, sum } = rowOf(more, placeOf(key, more.first));
    this.#statements.insertBlock.run(place, through, earliest, latest, types, sum);
    return undefined;
  }

  /** The next stretch of a part of a history that may hold what is wanted; with `reverse` the last one. Undefined if none may. */
  stretch(key: number, { first, through }: Stretch, { wanted, reverse }: { wanted: EventsWanted; reverse: boolean }): Stretch | undefined {
    let [from, to] = [first, through];
    for (const row of this.#rows(key, { first, through }, reverse)) {
      const begin = row.place % placesPerSession;
      // What lies before it, or with `reverse` behind it, is in no block.
      if (reverse ? row.through < to : begin > from)
        return reverse ? { first: row.through + 1, through: to } : { first: from, through: begin - 1 };
      if (reverse ? begin > to : row.through < from) continue;
      if (mayHold(row, wanted)) return { first: Math.max(from, begin), through: Math.min(to, row.through) };
      if (reverse) to = begin - 1;
      else from = row.through + 1;
      if (from > to) return undefined;
    }
    return { first: from, through: to };
  }

  *#rows(key: number, { first, through }: Stretch, reverse: boolean): Generator<BlockRow> {
    const { blocksBefore, blocksFrom } = this.#statements;
    try {
      const rows = reverse
        ? blocksBefore.iterate(placeOf(key, 0), placeOf(key, through), scanBlocks)
        : blocksFrom.iterate(placeOf(key, 0), placeOf(key, first), placeOf(key, first), placeOf(key, through), scanBlocks);
      for (const row of rows as unknown as Iterable<BlockRow>) if (isSound(row)) yield row;
    } catch (error) {
      if (sqliteCodeOf(error) !== corruptCode) throw error;
    }
  }
}
