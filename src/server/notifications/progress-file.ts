import { open, rename, rm } from 'node:fs/promises';
import { z } from 'zod';
import { parse } from '../../core/json/parse.ts';
import { limits, notificationLimits } from '../../core/protocol/limits.ts';
import { boundedText } from '../../core/text/text.ts';
import { readOwnFile } from '../access/own-file.ts';
import { reference, type Reference } from './reference.ts';

const id = boundedText(limits.idChars);
const progress = z.object({
  v: z.literal(1),
  /** How far each session was followed: its epoch and `seq`. */
  sessions: z.record(id, z.tuple([id, z.int().nonnegative()])),
  /** What each target was not told yet. */
  untold: z.record(id, z.array(reference).max(2 * notificationLimits.waiting)),
});

/** How far notifications have come. */
export interface Progress {
  sessions: ReadonlyMap<string, { epoch: string; seq: number }>;
  untold: ReadonlyMap<string, readonly Reference[]>;
}

/** The file beside a journal that keeps how far the notifications of its server have come. */
export function progressFileOf(journal: string): string {
  return `${journal}-notified`;
}

/**
 * Keeps, over restarts of the server, how far notifications have come. It holds places in the journal and nothing of what stands
 * there. Written whole, by renaming: a reader finds the old one or the new one.
 */
export class ProgressFile {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** Undefined where there is none. @throws ShannonDashError it is not this user's alone, or not what was written */
  read(): Progress | undefined {
    const text = readOwnFile(this.#path);
    if (text === undefined) return undefined;
    const { sessions, untold } = parse(progress, JSON.parse(text), this.#path);
    return {
      sessions: new Map(Object.entries(sessions).map(([session, [epoch, seq]]) => [session, { epoch, seq }])),
      untold: new Map(Object.entries(untold)),
    };
  }

  /** Resolves once it is written. One is written after the other. */
  write({ sessions, untold }: Progress): Promise<void> {
    const text = JSON.stringify({
      v: 1,
      sessions: Object.fromEntries([...sessions].map(([session, { epoch, seq }]) => [session, [epoch, seq]])),
      untold: Object.fromEntries(untold),
    });
    const written = this.#writing.then(() => this.#replace(text));
    this.#writing = written.catch(() => undefined);
    return written;
  }

  async #replace(text: string): Promise<void> {
    const next = `${this.#path}-new`;
    await rm(next, { force: true });
    const file = await open(next, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, this.#path);
  }
}
