import type { Block } from '../database/blocks.ts';
import { checksumOf, chunksOf, placeOf, placesPerSession } from '../database/chunks.ts';
import type { StoredBases } from '../database/stored-bases.ts';
import type { StoredBlocks } from '../database/stored-blocks.ts';
import type { StoredHeads } from '../database/stored-heads.ts';
import type { Statements } from '../database/sqlite-statements.ts';
import type { NewestEvents } from '../newest-events.ts';

/** What the name of a note in `meta` begins with; the number of the session follows. */
const notePrefix = 'import:';
/** What the session is called for the moment in which it gets its number: no session can have that name. */
const unnamed = ' importing';

/** Whether the events under a number are those of an import that has not come to its end. */
export function isUnfinishedImport(meta: ReadonlyMap<string, unknown>, key: number): boolean {
  return meta.has(`${notePrefix}${key}`);
}

/** Sessions that are imported, as long as they are not whole: each thing is done in one transaction. */
export class StoredImports {
  readonly #statements: Statements;
  readonly #parts: { blocks: StoredBlocks; heads: StoredHeads; bases: StoredBases };
  readonly #transact: (work: () => void) => void;

  /** @param transact has work done in one transaction */
  constructor(
    statements: Statements,
    parts: { blocks: StoredBlocks; heads: StoredHeads; bases: StoredBases },
    transact: (work: () => void) => void,
  ) {
    this.#statements = statements;
    this.#parts = parts;
    this.#transact = transact;
  }

  /** @returns the number of a new one, which no other session ever has */
  begin(): number {
    let key = 0;
    this.#transact(() => {
      key = Number(this.#statements.insertSession.run(unnamed, '', '', '{}').lastInsertRowid);
      this.#statements.deleteSession.run(key);
      this.#statements.addMeta.run(`${notePrefix}${key}`, '');
    });
    return key;
  }

  has(key: number, id: string): boolean {
    return this.#statements.seqOfId.all(key, id).length > 0;
  }

  /** Adds events behind those that it has. @returns the block that further events go into */
  add(
    { key, head, block }: NewestEvents & { key: number },
    { lines, ids }: { lines: readonly string[]; ids: readonly { id: string; seq: number }[] },
  ): Block | undefined {
    let more = block;
    this.#transact(() => {
      let seq = head.seq + 1;
      for (const chunk of chunksOf(lines)) {
        const json = chunk.join('\n');
        const place = placeOf(key, seq);
        this.#statements.insertChunk.run(place, json, checksumOf(place, json));
        more = this.#parts.blocks.add(key, more, seq, chunk);
        seq += chunk.length;
      }
      for (const { id, seq: at } of ids) this.#statements.insertId.run(key, id, at);
    });
    return more;
  }

  /** Makes it a session. */
  finish({ key, head }: NewestEvents & { key: number }): void {
    const { session_id, epoch, created_at, skills, metadata, imported } = head;
    this.#transact(() => {
      this.#statements.insertSessionAt.run(key, session_id, epoch, created_at, JSON.stringify({ skills, metadata, imported }));
      this.#parts.heads.set(key, head);
      this.#statements.dropMeta.run(`${notePrefix}${key}`);
    });
  }

  /** The numbers of those that a sudden end has left. */
  unfinished(): number[] {
    const names = this.#statements.metaLike.all(`${notePrefix}*`) as { key: string }[];
    return names.map(({ key }) => Number(key.slice(notePrefix.length)));
  }

  /** Deletes some of one that did not come to its end. @returns whether more is left */
  sweep(key: number): boolean {
    let isMore = false;
    this.#transact(() => {
      const head = { session_id: '', epoch: '', created_at: '', updated_at: '', seq: 0, cut: placesPerSession - 1 };
      isMore = this.#parts.bases.sweep({ key, head, waiting: [], waitingIds: new Map() });
      if (!isMore) this.#statements.dropMeta.run(`${notePrefix}${key}`);
    });
    return isMore;
  }
}
