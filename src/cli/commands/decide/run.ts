import { randomBytes } from 'node:crypto';
import type { AskedDecision } from '../../../core/http-answers.ts';
import { parseEventInput } from '../../../core/protocol/event.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { serverUrls } from '../../../core/text/server-urls.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import type { DecisionState } from '../../../core/protocol/session-state.ts';
import type { DecideOptions } from './definition.ts';
import { shownDuration } from '../../settings/duration.ts';
import { Failure, usageFailure } from '../../failure.ts';
import { chooseSession } from '../../server-access/live-sessions.ts';
import type { Output } from '../../terminal/output.ts';
import type { Invocation } from '../../invocation.ts';
import { publishOne } from '../../server-access/publishing.ts';
import { request, serverNowMs } from '../../server-access/server-request.ts';
import type { Settings } from '../../settings/settings.ts';

/** The program waits so much longer than the server, which sets the default. */
const graceMs = 10_000;

/** Asks, or finds what was asked before under the same id, and waits for the answer. */
export async function decide({ args: [question = ''], options, settings, output }: Invocation<DecideOptions>): Promise<void> {
  // Only a flag: a time that holds for requests in general is no deadline.
  const timeoutMs = options.timeout === undefined ? undefined : settings.timeoutMs;
  const data = pointOf(question, options, timeoutMs);
  const session = await chooseSession(settings);
  const asked = { path: { id: session, decision: data.decision_id } };
  const before = await request(settings, 'decision', asked).catch(unlessUnknown);
  if (before?.status === 'made') return tell(before, session, output);
  if (before === undefined) await publishOne(settings, session, { type: 'decision:point', data }, output);
  const open = before ?? (await request(settings, 'decision', asked));
  if (open.status === 'open') for (const line of invitation(open, settings)) output.note(line);
  const waitMs = timeoutMs === undefined ? undefined : options.default === undefined ? timeoutMs : timeoutMs + graceMs;
  const { awaitedState } = await import('../../server-access/awaited-state.ts');
  const made = await awaitedState({ settings, session, timeoutMs: waitMs }, ({ decisions }) =>
    decisions.find((each) => each.decision_id === data.decision_id && each.status === 'made'),
  );
  if (made === undefined) {
    throw new Failure('TIMEOUT', `nobody has answered ${data.decision_id} in ${shownDuration(timeoutMs ?? 0)}; it stays open`, {
      hints: [`answer it:  ${answerCommand(open)}`, `wait again: the same command with --id ${quoted(data.decision_id)}`],
    });
  }
  tell(made, session, output);
}

/** The data of the `decision:point`. @throws Failure the flag that is wrong */
function pointOf(question: string, { option: options = [], default: fallback, id }: DecideOptions, timeoutMs: number | undefined) {
  if (options.length === 0)
    throw usageFailure(
      'there is nothing to choose from',
      `give the choices: shannon-dash decide ${quoted(question)} --option yes --option no`,
    );
  if (fallback !== undefined && !options.includes(fallback))
    throw usageFailure(`--default ${fallback} is not one of the options (${options.join(', ')})`);
  if (fallback !== undefined && timeoutMs === undefined)
    throw usageFailure('--default needs a --timeout after which it is taken', 'such as: --timeout 5m');
  const data = {
    decision_id: id ?? `d-${randomBytes(4).toString('hex')}`,
    question,
    options,
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(timeoutMs === undefined ? {} : { timeout_ms: timeoutMs }),
  };
  try {
    parseEventInput({ type: 'decision:point', data, id: data.decision_id }, 'decision');
  } catch (error) {
    throw error instanceof ShannonDashError
      ? usageFailure(error.message.replace(/^decision\.(?:data\.)?/, ''), 'see: shannon-dash decide --help')
      : error;
  }
  return data;
}

function unlessUnknown(error: unknown): undefined {
  if (error instanceof ShannonDashError && error.code === 'NOT_FOUND') return undefined;
  throw error;
}

function tell({ decision_id, choice, made_by, comment }: DecisionState, session: string, output: Output): void {
  if (output.isJson) output.document({ ok: true, session_id: session, decision_id, choice, made_by, comment });
  else output.line(safeLine(choice ?? '', 10_000));
}

function invitation(decision: AskedDecision, { url }: Settings): string[] {
  const { decision_id, session_id, question, options, deadline, default: fallback, answer_path, answer_url } = decision;
  const left = deadline === null ? '' : `  (${fallback} in ${shownDuration(Math.max(0, Date.parse(deadline) - serverNowMs(decision)))})`;
  const answer = JSON.stringify({ choice: options[0]?.id });
  return [
    `${decision_id} in ${session_id}: ${question}  [${options.map(({ id }) => id).join('] [')}]${left}`,
    `  answer: ${answerCommand(decision)}`,
    ...(answer_path === undefined
      ? []
      : [
          `  or:     curl -H 'content-type: application/json' -d ${quoted(answer)} ${quoted(answer_url ?? serverUrls(url)[0].replace(/\/+$/, '') + answer_path)}`,
        ]),
  ];
}

function answerCommand({ decision_id, session_id, options }: AskedDecision): string {
  return `shannon-dash send DECISION -s ${session_id} --decision ${quoted(decision_id)} --choice ${quoted(options[0]?.id ?? '')}`;
}

/** As one word of a shell. */
function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
