import { z } from 'zod';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { readOwnFile } from '../own-file.ts';
import { replaceFile, withTokenLock } from './token-file.ts';

/** A crash loses the uses of so long. */
const writeMs = 60_000;

const useFile = z.object({ version: z.literal(1), used: z.record(z.string().regex(/^[0-9A-Za-z]{8}$/), z.iso.datetime()) });

/** Where it is written when the tokens of a file were last used. */
function useFileOf(tokenFile: string): string {
  return `${tokenFile}-used`;
}

/** When each token of a file was last used, by its id. It serves people only: what cannot be read is not known. */
export function readTokenUses(tokenFile: string): ReadonlyMap<string, string> {
  try {
    const text = readOwnFile(useFileOf(tokenFile));
    return new Map(text === undefined ? [] : Object.entries(useFile.parse(JSON.parse(text)).used));
  } catch {
    return new Map();
  }
}

/** Remembers when each token was last used: writes the first use of each soon, and the others at most once a minute. */
export class TokenUses {
  readonly #tokenFile: string;
  readonly #used = new Map<string, number>();
  /** Those that this server has written. */
  #written: ReadonlySet<string> = new Set();
  #writtenAt = -Infinity;

  constructor(tokenFile: string) {
    this.#tokenFile = tokenFile;
  }

  note(id: string): void {
    this.#used.set(id, Date.now());
  }

  /**
   * Writes what is not written yet, unless another process changes the tokens just then; later uses of a token not so soon after the last
   * time.
   * @param known the ids of the tokens that there are: others are let go
   * @throws the system's error
   */
  write(known: ReadonlySet<string>, { atOnce = false }: { atOnce?: boolean } = {}): void {
    if (this.#used.size === 0) return;
    const hasNews = atOnce || [...this.#used.keys()].some((id) => known.has(id) && !this.#written.has(id));
    if (!hasNews && performance.now() - this.#writtenAt < writeMs) return;
    try {
      withTokenLock(this.#tokenFile, () => this.#write(known));
    } catch (error) {
      // Another server writes: this one does so with the next look.
      if (error instanceof ShannonDashError && error.code === 'UNAVAILABLE') return;
      // What cannot be written is told once, and not with each look.
      this.#noteWritten(known);
      throw error;
    }
    this.#noteWritten(known);
  }

  #write(known: ReadonlySet<string>): void {
    // Another server on the same journal may have written too.
    const used = new Map([...readTokenUses(this.#tokenFile)].filter(([id]) => known.has(id)));
    for (const [id, ms] of this.#used) {
      const time = new Date(ms).toISOString();
      if (known.has(id) && (used.get(id) ?? '') < time) used.set(id, time);
    }
    replaceFile(useFileOf(this.#tokenFile), `${JSON.stringify({ version: 1, used: Object.fromEntries(used) })}\n`);
  }

  #noteWritten(known: ReadonlySet<string>): void {
    this.#writtenAt = performance.now();
    this.#written = new Set([...this.#written, ...this.#used.keys()].filter((id) => known.has(id)));
    this.#used.clear();
  }
}
