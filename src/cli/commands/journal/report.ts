import { safeLine } from '../../../core/text/safe-text.ts';
import { isWhole, type JournalCheck } from '../../../journal/sqlite/care/check.ts';
import type { JournalInfo } from '../../../journal/sqlite/care/info.ts';
import type { JournalRepair } from '../../../journal/sqlite/care/repair.ts';
import { bytes, count, counted } from '../../../view/text/numbers.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Output } from '../../terminal/output.ts';

/** Of a journal that a server has, less is known. */
type ToldInfo = Omit<Partial<JournalInfo>, 'path'> &
  Pick<JournalInfo, 'size_bytes' | 'sessions' | 'events' | 'created_at' | 'updated_at'> & {
    path: string | null;
    server?: { url: string; pid?: number };
    /** Those that share it. */
    servers?: string[];
  };

/** Lost stretches that are listed. */
const mostStretches = 100;

export function tellInfo(info: ToldInfo, output: Output): void {
  if (output.isJson) return output.document(info);
  const { path, size_bytes, free_bytes, format, sessions, events, created_at, updated_at, waiting_commits = 0, server, servers } = info;
  const free =
    free_bytes === undefined || free_bytes === 0 ? '' : `, of which ${bytes(free_bytes)} are free: journal compact gives them back`;
  const times = created_at === null ? '' : `, from ${created_at} to ${updated_at ?? created_at}`;
  const state =
    servers !== undefined && servers.length > 0
      ? `${counted(servers.length, 'server')} ${servers.length === 1 ? 'has' : 'have'} it open: ${servers.join(', ')}`
      : server !== undefined
        ? `the server at ${server.url} has it${server.pid === undefined ? '' : ` (process ${server.pid})`}`
        : waiting_commits === 0
          ? 'closed'
          : `left by a sudden end: ${counted(waiting_commits, 'commit')} in its log, which the next server takes over`;
  output.line(`journal   ${safeLine(path ?? 'not told', 4_000)}`);
  output.line(`size      ${bytes(size_bytes)}${free}`);
  if (format !== undefined) output.line(`format    ${format}`);
  output.line(`holds     ${counted(sessions, 'session')}, ${counted(events, 'event')}${safeLine(times, 100)}`);
  output.line(`state     ${safeLine(state, 400)}`);
}

/** @returns the exit code: 1 where something is wrong */
export function tellCheck(check: JournalCheck, output: Output, { isInPostgres = false } = {}): number {
  const isSound = isWhole(check);
  if (output.isJson) output.document({ ok: isSound, ...check });
  else {
    for (const line of findings(check)) output.line(line);
    const { sessions, events, waiting } = check;
    output.line(
      `${isSound ? 'whole' : 'damaged'}: ${counted(sessions, 'session')} and ${counted(events, 'event')} can be read${waiting === 0 ? '' : `, and ${counted(waiting, 'commit')} in the log`}`,
    );
    const wayOut = isInPostgres
      ? 'restore a backup of the database'
      : 'keep all that can be read, in a new file: shannon-dash journal check --repair';
    if (!isSound) output.note(wayOut);
  }
  return isSound ? exitCodes.ok : exitCodes.refused;
}

export function tellRepair({ check, kept, sessions, events }: JournalRepair, output: Output): void {
  const { lost } = check;
  if (output.isJson) return output.document({ ok: true, repaired: kept.length > 0, check, kept, sessions, events });
  if (kept.length === 0) return output.line(`nothing is wrong with ${safeLine(check.path, 4_000)}: it was left as it is`);
  for (const line of findings(check)) output.line(line);
  const gone = lost.reduce((sum, { from, through }) => sum + through - from + 1, 0);
  output.line(
    `repaired: ${safeLine(check.path, 4_000)} has ${counted(sessions, 'session')} and ${counted(events, 'event')}${gone === 0 ? '' : `, of which ${count(gone)} stand for lost ones`}`,
  );
  output.line(`as it was: ${kept.map((file) => safeLine(file, 4_000)).join(', ')}`);
}

export function tellBackup({ file, bytes: size }: { file: string; bytes: number }, output: Output): void {
  if (output.isJson) return output.document({ ok: true, file, bytes: size });
  output.line(`${safeLine(file, 4_000)}   ${bytes(size)}`);
  output.note('check it: shannon-dash journal check --journal FILE');
}

export function tellCompact({ path, before, after }: { path: string; before: number; after: number }, output: Output): void {
  if (output.isJson) return output.document({ ok: true, path, before_bytes: before, after_bytes: after });
  output.line(`${safeLine(path, 4_000)}: ${bytes(before)} before, ${bytes(after)} now`);
}

export function tellRebuild({ path, sessions }: { path: string; sessions: number }, output: Output): void {
  if (output.isJson) return output.document({ ok: true, path, sessions });
  output.line(
    `${safeLine(path, 4_000)}: the next server folds ${counted(sessions, 'session')} from the events; start it: shannon-dash serve`,
  );
}

function findings({ problems, lost }: JournalCheck): string[] {
  const more = lost.length - mostStretches;
  return [
    ...problems.map((problem) => safeLine(problem, 2_000)),
    ...lost
      .slice(0, mostStretches)
      .map(
        ({ session_id, from, through }) =>
          `events ${from === through ? from : `${from} to ${through}`} of ${safeLine(session_id, 128)} cannot be read`,
      ),
    ...(more > 0 ? [`and ${count(more)} more stretches of events`] : []),
  ];
}
