import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { readOwnFile } from '../own-file.ts';

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
  /** Those that stand in the file. */
  #written: ReadonlySet<string> = new Set();
  #writtenAt = -Infinity;

  constructor(tokenFile: string) {
    this.#tokenFile = tokenFile;
  }

  note(id: string): void {
    this.#used.set(id, Date.now());
  }

  /**
   * Writes what is not written yet; later uses of a token not so soon after the last time.
   * @param known the ids of the tokens that there are: others are let go
   * @throws the system's error
   */
  write(known: ReadonlySet<string>, { atOnce = false }: { atOnce?: boolean } = {}): void {
    if (this.#used.size === 0) return;
    const hasNews = atOnce || [...this.#used.keys()].some((id) => known.has(id) && !this.#written.has(id));
    if (!hasNews && performance.now() - this.#writtenAt < writeMs) return;
    this.#writtenAt = performance.now();
    // Another server on the same journal may have written too.
    const used = new Map([...readTokenUses(this.#tokenFile)].filter(([id]) => known.has(id)));
    for (const [id, ms] of this.#used) if (known.has(id)) used.set(id, new Date(ms).toISOString());
    this.#used.clear();
    this.#written = new Set(used.keys());
    const path = useFileOf(this.#tokenFile);
    const next = `${path}-new`;
    rmSync(next, { force: true });
    writeFileSync(next, `${JSON.stringify({ version: 1, used: Object.fromEntries(used) })}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(next, path);
  }
}
