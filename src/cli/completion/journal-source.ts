import { openJournalAtRest, type JournalAtRest } from '../../journal/sqlite/database/journal-at-rest.ts';
import { fieldsOf, type Fields } from './fields.ts';
import type { Source } from './source.ts';

const mostSessions = 1_000;

/** Reads what a server that does not run any more has left in its journal. */
export class JournalSource implements Source {
  readonly #journal: JournalAtRest;

  private constructor(journal: JournalAtRest) {
    this.#journal = journal;
  }

  /** Undefined where there is no such journal. */
  static async open(path: string): Promise<JournalSource | undefined> {
    const journal = await openJournalAtRest(path);
    return journal === undefined ? undefined : new JournalSource(journal);
  }

  async sessions(): Promise<readonly Fields[]> {
    return this.#journal.sessions(mostSessions).map((row) => ({ ...row }));
  }

  async state(session: string): Promise<Fields | undefined> {
    const json = this.#journal.snapshot(session);
    return json === undefined ? undefined : fieldsOf(json);
  }

  /** They are in files that a server reads. */
  async skills(): Promise<readonly Fields[]> {
    return [];
  }

  close(): void {
    this.#journal.close();
  }
}
