import { chunksInOrder, type EventSpan } from './chunk-spans.ts';
import { isUnfinishedImport } from '../kept/stored-imports.ts';
import { countLosses, isOfDatabase, StartLosses } from '../start-losses.ts';
import { salvageJournal, type Salvage } from './salvage.ts';

/** What a check of a journal found. */
export interface JournalCheck {
  path: string;
  /** The version of its tables; undefined where SQLite cannot read them. */
  format: number | undefined;
  sessions: number;
  /** Those that can be read. */
  events: number;
  /** Commits that a sudden end has left in the log: the next server takes them over. */
  waiting: number;
  /** Damage, in sentences. */
  problems: string[];
  /** Stretches of events that cannot be read. */
  lost: ({ session_id: string } & EventSpan)[];
}

/** Whether nothing is wrong. */
export function isWhole({ problems, lost }: JournalCheck): boolean {
  return problems.length === 0 && lost.length === 0;
}

/**
 * Looks at everything in a journal that no server has, and leaves it as it is.
 * @throws OpenRefusal a server has it, it is no journal, or one of a newer version
 */
export async function checkJournal(path: string): Promise<JournalCheck> {
  return salvageJournal(path, () => undefined, checkOf);
}

/** What is wrong with what was read. */
export function checkOf(salvage: Salvage): JournalCheck {
  const { path, format, sessions, bases, chunks, meta, log, hasLog, problems } = salvage;
  const spans = chunksInOrder(chunks);
  const lost: JournalCheck['lost'] = [];
  for (const { key, session_id, head } of sessions.values()) {
    if (head === undefined) problems.push(`where ${session_id} stands cannot be read: its last events may be gone`);
    for (const gap of spans.gaps(key, bases.get(key)?.seq ?? 0, head?.seq ?? 0)) lost.push({ session_id, ...gap });
  }
  const orphans = spans.keys().filter((key) => !sessions.has(key) && !isUnfinishedImport(meta, key));
  if (orphans.length > 0) problems.push(`events of ${orphans.length} sessions are there, but the sessions themselves cannot be read`);
  const commits = Number(meta.get('commits') ?? 0);
  const losses = new StartLosses();
  if (!hasLog && meta.get('open') === '1') {
    losses.add(`the log of the newest commits is missing (${path}-log): it was deleted, or the file was copied without it`);
  } else if (!isOfDatabase(log, { epoch: meta.get('epoch') ?? log.header?.journal ?? '' })) {
    if (log.commits.length > 0) losses.add(`the ${log.commits.length} commits in its log are those of another journal`);
  } else {
    countLosses(log, { commits }, losses);
  }
  if (!losses.isNone) problems.push(losses.text);
  return {
    path,
    format,
    sessions: sessions.size,
    events: spans.events,
    waiting: log.commits.filter(({ number }) => number === undefined || number > commits).length,
    problems,
    lost,
  };
}
