/** What a row of a table holds; undefined: of no form that a journal writes. */
type RowValue = string | number | Uint8Array | null | undefined;

/** A row as it lies in a page: of a table with its number, of one without rowids or of an index without. */
export interface PageRow {
  rowid: number | undefined;
  values: RowValue[];
}

const tableLeaf = 0x0d;
const indexLeaf = 0x0a;
/** The head of a file stands before the first page's own. */
const fileHeadBytes = 100;
/** A longer row than any that a journal writes: what says so is damaged. */
const longestRowBytes = 64 * 1_024 * 1_024;

/** What a page with rows is read from. */
interface PageSource {
  number: number;
  bytes: Buffer;
  /** The page that a long row goes on in. */
  fetch: (page: number) => Buffer | undefined;
}

/** The rows in a leaf of a table or an index, as far as they can be read. Nothing tells whether they are right: that is up to their checksums. */
export function* rowsOf(source: PageSource): Generator<PageRow> {
  const { number, bytes } = source;
  const begin = number === 1 ? fileHeadBytes : 0;
  const type = bytes[begin];
  if (type !== tableLeaf && type !== indexLeaf) return;
  const cells = bytes.readUInt16BE(begin + 3);
  for (let cell = 0; cell < cells; cell++) {
    const pointer = begin + 8 + cell * 2;
    if (pointer + 2 > bytes.length) return;
    const row = readCell(source, bytes.readUInt16BE(pointer), type === tableLeaf);
    if (row !== undefined) yield row;
  }
}

function readCell(source: PageSource, at: number, isTable: boolean): PageRow | undefined {
  const length = varint(source.bytes, at);
  const rowid = length === undefined || !isTable ? undefined : varint(source.bytes, length.end);
  const start = isTable ? rowid?.end : length?.end;
  if (length === undefined || start === undefined || length.value > longestRowBytes) return undefined;
  const payload = payloadOf(source, { start, length: length.value, isTable });
  const values = payload === undefined ? undefined : valuesOf(payload);
  return values === undefined ? undefined : { rowid: rowid?.value, values };
}

/** The bytes of a row, of which a page has the beginning only if they are many. */
function payloadOf(
  { bytes, fetch }: PageSource,
  { start, length, isTable }: { start: number; length: number; isTable: boolean },
): Buffer | undefined {
  const usable = bytes.length;
  const most = isTable ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
  if (length <= most) return start + length > usable ? undefined : bytes.subarray(start, start + length);
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const rest = least + ((length - least) % (usable - 4));
  const local = rest <= most ? rest : least;
  if (start + local + 4 > usable) return undefined;
  const parts = [bytes.subarray(start, start + local)];
  let left = length - local;
  let next = bytes.readUInt32BE(start + local);
  while (left > 0) {
    const page = next === 0 ? undefined : fetch(next);
    if (page === undefined) return undefined;
    const part = page.subarray(4, 4 + Math.min(left, usable - 4));
    parts.push(part);
    left -= part.length;
    next = page.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

function valuesOf(payload: Buffer): RowValue[] | undefined {
  const head = varint(payload, 0);
  if (head === undefined || head.value > payload.length) return undefined;
  const values: RowValue[] = [];
  let at = head.value;
  for (let column = head.end; column < head.value;) {
    const type = varint(payload, column);
    if (type === undefined) return undefined;
    const size = sizeOf(type.value);
    if (at + size > payload.length) return undefined;
    values.push(valueOf(payload, { type: type.value, at, size }));
    at += size;
    column = type.end;
  }
  return values;
}

/** Bytes of a value, by its type. */
function sizeOf(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2);
  return [0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type] ?? 0;
}

function valueOf(payload: Buffer, { type, at, size }: { type: number; at: number; size: number }): RowValue {
  if (type === 0) return null;
  if (type >= 1 && type <= 5) return payload.readIntBE(at, size);
  if (type === 6) return Number(payload.readBigInt64BE(at));
  if (type === 8 || type === 9) return type - 8;
  if (type < 12) return undefined;
  return type % 2 === 1 ? payload.toString('utf8', at, at + size) : payload.subarray(at, at + size);
}

/** A number in one to eight bytes; none of nine, which stand for negative ones and for such as no journal has. */
function varint(bytes: Buffer, at: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let end = at; end < at + 8; end++) {
    const byte = bytes[end];
    if (byte === undefined) return undefined;
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, end: end + 1 };
  }
  return undefined;
}
