import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Books } from '../books.ts';
import { same, told, type Check, type Scene } from '../scene.ts';
import { NotServed, runProgram, serve } from '../served.ts';

/** For who wants the places of an earlier run again. */
const givenSeed = process.env['FAULTS_SEED'];
const pieceBytes = 48;

/** A journal at rest, in a file without free pages, and what was acknowledged in it. */
async function filled(scene: Scene): Promise<{ journal: string; books: Books }> {
  const journal = join(scene.newFolder(), 'journal.db');
  const books = new Books();
  const server = await serve(scene, { journal });
  const batches = scene.sized(10, 60);
  for (let n = 0; n < batches; n++) {
    for (const session of ['a', 'b', 'c']) await books.publish(server.url, session);
    await books.publish(server.url, 'large', 5, 5_000);
  }
  await server.end('SIGTERM');
  const compact = await runProgram(scene, 'journal', 'compact', '--journal', journal);
  if (compact.code !== 0) throw new Error(compact.stderr);
  return { journal, books };
}

/** A row of events, and the pages of the file that hold it. */
interface Chunk {
  json: string;
  pages: Set<number>;
}

/** Finds the bytes of each chunk in the file, piece by piece: SQLite does not tell where it keeps a row. */
function chunksIn(journal: string, pageBytes: number): Chunk[] {
  const file = readFileSync(journal);
  const copy = `${journal}-read`;
  copyFileSync(journal, copy);
  const database = new DatabaseSync(copy);
  const rows = database.prepare('SELECT json FROM chunks').all() as { json: string }[];
  database.close();
  return rows.map(({ json }) => {
    const bytes = Buffer.from(json);
    const pages = new Set<number>();
    let at = 0;
    for (let from = 0; from + pieceBytes <= bytes.length; from += pieceBytes) {
      const piece = bytes.subarray(from, from + pieceBytes);
      const isNext = file.compare(piece, 0, pieceBytes, at, Math.min(file.length, at + pieceBytes)) === 0;
      let found = isNext ? at : file.indexOf(piece, at);
      if (found === -1) found = file.indexOf(piece);
      // One that lies over the edge of a page is in two parts.
      if (found === -1) continue;
      pages.add(Math.floor(found / pageBytes)).add(Math.floor((found + pieceBytes - 1) / pageBytes));
      at = found + pieceBytes;
    }
    if (pages.size === 0) throw new Error('a chunk is not in the file');
    return { json, pages };
  });
}

/** How a damaged journal is told, repaired and served, and whether anything is gone that whole pages hold. */
async function afterDamage(
  scene: Scene,
  name: string,
  journal: string,
  books: Books,
  touched: (chunk: Chunk) => boolean,
  chunks: Chunk[],
): Promise<Check[]> {
  const first = await serve(scene, { journal }).catch((error: unknown) => error);
  let start: string;
  if (first instanceof NotServed) start = /journal check --repair/.test(first.said) ? 'clear' : first.message;
  else {
    if (first instanceof Error) throw first;
    start = 'clear';
    await (first as Awaited<ReturnType<typeof serve>>).end('SIGTERM');
  }
  const repair = await runProgram(scene, 'journal', 'check', '--repair', '--journal', journal);
  const check = await runProgram(scene, 'journal', 'check', '--journal', journal);
  const server = await serve(scene, { journal });
  const missing = await books.missing(server.url);
  const held = chunks.filter((chunk) => !touched(chunk)).map(({ json }) => json);
  const needless = missing.filter((mark) => held.some((json) => json.includes(`"${mark}"`)));
  const taken = (await books.publish(server.url, 'a')).status;
  await server.end('SIGTERM');
  return [
    same(`${name}: the start says so`, start, 'clear'),
    same(`${name}: check --repair`, repair.code === 0 ? 'repaired' : repair.stderr, 'repaired'),
    same(`${name}: check after it`, check.code === 0 ? 'whole' : check.stdout, 'whole'),
    same(`${name}: lost though whole pages hold it`, needless.length, 0),
    same(`${name}: publishing afterwards`, taken, 200),
    told(`${name}: events in damaged pages, lost of ${books.total}`, String(missing.length)),
  ];
}

export async function truncated(scene: Scene): Promise<Check[]> {
  const { journal, books } = await filled(scene);
  const { length } = readFileSync(journal);
  const pageBytes = readFileSync(journal).readUInt16BE(16);
  const chunks = chunksIn(journal, pageBytes);
  const left = Math.floor(length * 0.6);
  truncateSync(journal, left);
  return afterDamage(scene, 'truncated', journal, books, ({ pages }) => [...pages].some((page) => (page + 1) * pageBytes > left), chunks);
}

/** A small generator whose numbers come again with its seed (mulberry32). */
function numbersOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export async function damagedPlaces(scene: Scene): Promise<Check[]> {
  const { journal, books } = await filled(scene);
  const seed = Number(givenSeed ?? Date.now() % 1e9);
  const random = numbersOf(seed);
  const file = readFileSync(journal);
  const pageBytes = file.readUInt16BE(16);
  const chunks = chunksIn(journal, pageBytes);
  const damaged = new Set<number>();
  for (let n = 0; n < 20; n++) {
    const at = Math.floor(random() * file.length);
    file[at] = (file[at] ?? 0) ^ (1 + Math.floor(random() * 255));
    damaged.add(Math.floor(at / pageBytes));
  }
  writeFileSync(journal, file);
  const checks = await afterDamage(scene, 'damaged', journal, books, ({ pages }) => [...pages].some((page) => damaged.has(page)), chunks);
  return [...checks, told('damaged: the seed of its 20 places (FAULTS_SEED)', String(seed))];
}
