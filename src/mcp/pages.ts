import type { ListedSession } from '../core/http-answers.ts';
import { mcpLimits } from '../core/protocol/limits.ts';
import type { SessionState } from '../core/protocol/session-state.ts';
import { safeLine } from '../core/text/safe-text.ts';
import { dataBlock } from './answer.ts';
import { fitting } from './shortened.ts';

const lineChars = 300;
/** Entries of each list on the page of a session, the newest. */
const listed = 20;

/** What others wrote, as one line of a page. */
const said = (text: string | null | undefined) => safeLine(text ?? '', lineChars);

/** The page of all sessions. */
export function listPage(sessions: readonly ListedSession[]): string {
  const lines = sessions
    .toSorted((one, other) => (one.updated_at < other.updated_at ? 1 : -1))
    .slice(0, mcpLimits.sessions)
    .map(({ session_id, status, progress, task, open_decisions }) => {
      const facts = [status, ...(progress === null ? [] : [`${progress}%`]), ...(open_decisions === 0 ? [] : [`${open_decisions} open`])];
      return `- ${session_id} (${facts.join(', ')}) ${said(task)}`.trimEnd();
    });
  return `# Sessions\n\n${sessions.length} in all.\n\n${block(lines)}\n`;
}

/** The page of one session. */
export function sessionPage(state: SessionState): string {
  const { session_id, status, progress, seq, updated_at, decisions, agents, files, skills, validations, halt } = state;
  const open = decisions.filter((each) => each.status === 'open');
  const facts = [
    `- status: ${status}${progress === null ? '' : `, ${progress}%`}`,
    `- events: ${seq}, the last at ${updated_at}`,
    `- open questions: ${open.length}`,
  ];
  const lines = [
    ...line('task', state.task),
    ...line('message', state.message),
    ...line('error', state.error),
    ...(halt === null ? [] : line('halted', `${halt.by ?? ''}: ${halt.reason ?? ''}`)),
    ...list('Open questions', open, ({ decision_id, question, options }) => [decision_id, question, ...options.map(({ id }) => `[${id}]`)]),
    ...list('Steps', skills, ({ skill_name, status, message }) => [skill_name, status, message]),
    ...list('Agents', agents, ({ agent_id, role, status, task }) => [agent_id, role, status, task]),
    ...list('Files', files, ({ path, change, lines_added, lines_removed }) => [path, change, `+${lines_added} -${lines_removed}`]),
    ...list('Checks', validations, ({ check_name, status, message }) => [check_name, status, message]),
  ];
  return `# Session ${session_id}\n\n${facts.join('\n')}\n\n${block(lines)}\n`;
}

function line(name: string, text: string | null): string[] {
  return text === null ? [] : [`${name}: ${said(text)}`];
}

function list<Entry>(title: string, entries: readonly Entry[], parts: (entry: Entry) => (string | null)[]): string[] {
  if (entries.length === 0) return [];
  const told = entries.slice(-listed).map(
    (entry) =>
      `- ${said(
        parts(entry)
          .filter((each) => each !== null)
          .join(' '),
      )}`,
  );
  return ['', `## ${title}${entries.length > listed ? ` (the last ${listed} of ${entries.length})` : ''}`, '', ...told];
}

function block(lines: readonly string[]): string {
  return dataBlock(fitting(lines, mcpLimits.answerBytes).join('\n').replaceAll('<', '&lt;'));
}
