import { crc32 } from 'node:zlib';
import type { EventsWanted } from '../../journal.ts';
import { typeAndTimeOf } from '../../stamping.ts';

/** A block is whole with so many events, or so many characters of JSON: about one chunk of a busy session. */
const blockEvents = 256;
const blockChars = 64 * 1_024;
/** The characters of all types of a block; of one with more only the times are told. */
const typesChars = 1_024;

/** What some events that follow each other in a session are: who looks for others need not read them. */
export interface Block {
  first: number;
  through: number;
  chars: number;
  /** When they happened, by the server's clock. */
  earliest: string;
  latest: string;
  types: ReadonlySet<string>;
}

/** A whole block as the database has it. */
export interface BlockRow {
  place: number;
  through: number;
  earliest: string;
  latest: string;
  /** One a line; null for more than are kept. */
  types: string | null;
  sum: number;
}

/** The block with the JSON of further events, or a new one with these. */
export function withLines(block: Block | undefined, seq: number, lines: readonly string[]): Block {
  const types = new Set(block?.types);
  let { earliest, latest, chars } = block ?? { earliest: '~', latest: '', chars: 0 };
  let last = '';
  for (const line of lines) {
    const { type, at } = typeAndTimeOf(line);
    if (type !== last) types.add(type);
    last = type;
    if (at < earliest) earliest = at;
    if (at > latest) latest = at;
    chars += line.length;
  }
  return { first: block?.first ?? seq, through: seq + lines.length - 1, chars, earliest, latest, types };
}

export function isWhole({ first, through, chars }: Block): boolean {
  return through - first + 1 >= blockEvents || chars >= blockChars;
}

export function rowOf({ through, earliest, latest, types }: Block, place: number): BlockRow {
  const lines = [...types].join('\n');
  const row = { place, through, earliest, latest, types: lines.length > typesChars ? null : lines };
  return { ...row, sum: checksumOf(row) };
}

/** Whether a row is what was written. */
export function isSound(row: BlockRow): boolean {
  return row.sum === checksumOf(row);
}

/** Whether a wanted event can be in a block. */
export function mayHold({ earliest, latest, types }: BlockRow, { filter, since, until }: EventsWanted): boolean {
  if ((since !== undefined && latest < since) || (until !== undefined && earliest > until)) return false;
  return filter === undefined || types === null || types.split('\n').some(filter);
}

function checksumOf({ place, through, earliest, latest, types }: Omit<BlockRow, 'sum'>): number {
  return crc32(`${place} ${through} ${earliest} ${latest} ${types ?? ''}`);
}
