import { crc32 } from 'node:zlib';
import type { SessionHead } from '../../journal.ts';
import { corruptCode, sqliteCodeOf } from './sqlite-codes.ts';
import type { Statements } from './sqlite-statements.ts';

/** Where a session stands: its newest event. */
export type StoredHead = Pick<SessionHead, 'seq' | 'updated_at'>;

interface HeadRow extends StoredHead {
  session: number;
  sum: number;
}

/**
 * Where each session stood when it was last written, in a table of its own: a server that starts reads this and none of the
 * events. A session without a row, or with a damaged one, is looked up by its last event.
 */
export class StoredHeads {
  readonly #statements: Statements;
  /** Heads that were looked up, to be written with the next transaction. */
  #missing: { key: number; head: StoredHead }[] = [];

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Those that can be read, by the key of the session. */
  all(): Map<number, StoredHead> {
    const heads = new Map<number, StoredHead>();
    try {
      for (const row of this.#statements.heads.iterate() as unknown as Iterable<HeadRow>) {
        const { session, seq, updated_at } = row;
        if (isSoundHead(session, row)) heads.set(session, { seq, updated_at });
      }
    } catch (error) {
      if (sqliteCodeOf(error) !== corruptCode) throw error;
    }
    return heads;
  }

  /** Part of a transaction. */
  set(key: number, { seq, updated_at }: StoredHead): void {
    this.#statements.setHead.run(key, seq, updated_at, checksumOfHead(key, { seq, updated_at }));
  }

  /** Notes a head that has no row. */
  noteMissing(key: number, head: StoredHead): void {
    this.#missing.push({ key, head: { ...head } });
  }

  /** Part of a transaction, the first one. */
  addMissing(): void {
    for (const { key, head } of this.#missing) this.set(key, head);
  }

  /** The transaction in which they were added is done. */
  forgetMissing(): void {
    this.#missing = [];
  }
}

/** Whether the row of a session is what was written. */
export function isSoundHead(session: number, { sum, ...head }: StoredHead & { sum: number }): boolean {
  return sum === checksumOfHead(session, head);
}

export function checksumOfHead(key: number, { seq, updated_at }: StoredHead): number {
  return crc32(`${key} ${seq} ${updated_at}`);
}
