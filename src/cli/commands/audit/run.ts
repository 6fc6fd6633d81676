import type { AuditEntry } from '../../../core/http-answers.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import type { Invocation } from '../../invocation.ts';
import { withReachedJournal } from '../../server-access/journal-reader.ts';
import { request } from '../../server-access/server-request.ts';
import { pointInTime } from '../../settings/point-in-time.ts';
import { tableLines, type Cell } from '../../terminal/table.ts';
import type { AuditOptions } from './definition.ts';

const pageCommands = 1_000;

/** Lists the commands of all sessions. */
export async function audit({ options, settings: given, output }: Invocation<AuditOptions>): Promise<void> {
  const { session, by, limit = 100 } = options;
  const since = options.since === undefined ? undefined : new Date(pointInTime(options.since)).toISOString();
  const settings = await withReachedJournal(given, output);
  const pages: AuditEntry[][] = [];
  let left = limit;
  let next: string | null | undefined;
  // The newest page comes first.
  do {
    const query = { session, by, since, limit: Math.min(left, pageCommands), before: next ?? undefined };
    const page = await request(settings, 'audit', { query });
    pages.unshift(page.commands);
    left -= page.commands.length;
    next = page.next;
  } while (next !== null && left > 0);
  const commands = pages.flat();
  if (output.isJson) {
    output.document({ commands, older: next !== null });
    return;
  }
  if (commands.length === 0) {
    output.note('no such command was sent');
    return;
  }
  const rows = commands.map((command) => [
    safeLine(command.created_at, 30),
    safeLine(command.by ?? '-', 64),
    safeLine(command.from?.role ?? '-', 20),
    safeLine(command.from?.address ?? '-', 45),
    safeLine(command.command_type, 20),
    { text: command.status, tone: toneOf(command) },
    safeLine(command.session_id, 128),
    safeLine(command.error ?? (Object.keys(command.parameters).length === 0 ? '' : JSON.stringify(command.parameters)), 80),
  ]);
  for (const line of await tableLines(['TIME', 'BY', 'ROLE', 'FROM', 'COMMAND', 'STATUS', 'SESSION', ''], rows, output)) output.line(line);
  if (next !== null) output.note(`and older ones: --limit ${limit * 10}`);
}

function toneOf({ status }: AuditEntry): NonNullable<Cell['tone']> {
  if (status === 'applied') return 'good';
  return status === 'queued' || status === 'delivered' ? 'warn' : 'bad';
}
