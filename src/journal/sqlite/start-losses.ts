import type { LogContent } from './commit-log-text.ts';
import type { SqliteDatabase } from './database/sqlite-database.ts';

/** What was acknowledged and is not there any more, as far as it can be told. */
export class StartLosses {
  readonly #sentences: string[] = [];
  /** Sessions with a gap, and what of them is lost. */
  readonly #sessions = new Map<string, string[]>();

  get isNone(): boolean {
    return this.#sentences.length === 0;
  }

  add(sentence: string): void {
    this.#sentences.push(sentence);
  }

  addGap(sessionId: string, from: number, through: number): void {
    const gaps = this.#sessions.get(sessionId) ?? [];
    gaps.push(from === through ? String(from) : `${from} to ${through}`);
    this.#sessions.set(sessionId, gaps);
  }

  /** A clause: what is lost, and of which sessions. */
  get text(): string {
    const sessions = [...this.#sessions].slice(0, 20).map(([id, gaps]) => `${id} (events ${gaps.slice(0, 10).join(', ')})`);
    const more = this.#sessions.size > 20 ? ` and ${this.#sessions.size - 20} more sessions` : '';
    return `${this.#sentences.join('; ')}${sessions.length === 0 ? '' : `; of ${sessions.join(', ')}${more}`}`;
  }
}

/** Whether a log belongs to the database beside it; it may have been made before logs said whose they are. */
export function isOfDatabase({ header }: LogContent, { epoch }: Pick<SqliteDatabase, 'epoch'>): boolean {
  return header === undefined || header.journal === epoch;
}

/** What the log and the database know of each other: commits that neither has any more. */
export function countLosses(log: LogContent, database: Pick<SqliteDatabase, 'commits'>, losses: StartLosses): void {
  const { header, commits, damagedAtEnd } = log;
  const fromDatabase = (header?.commits ?? 0) - database.commits;
  if (fromDatabase > 0)
    losses.add(`${counted(fromDatabase)} gone from the database (its write-ahead log was cut off, or it is an older copy)`);
  let damaged = damagedAtEnd;
  let before: number | undefined = Math.max(header?.commits ?? 0, database.commits);
  for (const { number, damagedBefore } of commits) {
    // Those of the first version have no number: what is damaged is counted as one, be it one or two.
    damaged += number === undefined || before === undefined ? damagedBefore : Math.max(0, number - before - 1);
    before = number === undefined ? undefined : Math.max(before ?? 0, number);
  }
  if (damaged > 0) losses.add(`${counted(damaged)} damaged in the log of commits`);
}

function counted(commits: number): string {
  return commits === 1 ? '1 commit is' : `${commits} commits are`;
}
