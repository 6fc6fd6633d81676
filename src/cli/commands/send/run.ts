import type { CommandRequest, CommandResult, CommandResults } from '../../../core/protocol/command.ts';
import { newId } from '../../../core/ids.ts';
import { limits } from '../../../core/protocol/limits.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { commandOf, commandType } from './command-flags.ts';
import type { SendOptions } from './definition.ts';
import { openDecision } from './open-decision.ts';
import { canAsk, confirm } from '../../terminal/confirm.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure, usageFailure } from '../../failure.ts';
import { lookedAtSession } from '../../server-access/live-sessions.ts';
import { withReachedJournal } from '../../server-access/journal-reader.ts';
import type { Output } from '../../terminal/output.ts';
import type { Invocation } from '../../invocation.ts';
import { failureOfResult, reached, resultDocument, resultLine } from './send-result.ts';
import { request } from '../../server-access/server-request.ts';
import type { Settings } from '../../settings/settings.ts';

/** The program waits so much longer than the server, so that the server's answer counts. */
const graceMs = 2_000;

/** Sends a command, waits as long as asked for, and says where it stands. */
export async function send({ args: [given = '', named], options, settings, output }: Invocation<SendOptions>): Promise<number> {
  const type = commandType(given);
  if (named !== undefined && options.all === true) throw usageFailure('--all is every live session; leave the name out, or --all');
  const asGiven = named === undefined ? settings : { ...settings, session: named };
  if (type === 'DECISION' && (options.decision === undefined || options.choice === undefined)) return decideOpen(asGiven, options, output);
  return sendCommand(commandOf(type, options), { options, settings: asGiven, output });
}

/** A DECISION without its id or choice: taken for the only one that is open, or told what there is to decide. */
async function decideOpen(asGiven: Settings, options: SendOptions, output: Output): Promise<number> {
  if (options.all === true) throw usageFailure('--all needs --decision and --choice', 'see: shannon-dash send --help');
  const settings = await withReachedJournal(asGiven, output);
  const session = await lookedAtSession(settings);
  const decision = await openDecision(settings, session, options);
  return sendCommand(commandOf('DECISION', { ...options, decision }), { options, settings: { ...settings, session }, output });
}

async function sendCommand(
  request: CommandRequest,
  { options, settings: asGiven, output }: { options: SendOptions; settings: Settings; output: Output },
): Promise<number> {
  const { type } = request;
  const isPreview = options.dryRun === true;
  const settings = await withReachedJournal(asGiven, output);
  const timeoutMs = settings.timeoutMs ?? limits.commandTimeoutMs;
  const session = options.all === true ? '*' : await lookedAtSession(settings);
  if (isPreview && type !== 'ROLLBACK') return sayOnly(request, session, output);
  let { fields } = request;
  if (!isPreview && options.yes !== true) {
    if (type === 'ROLLBACK') fields = await confirmedRollback(fields, { session, settings, output, timeoutMs });
    if (type === 'STOP' && session !== '*' && asGiven.session === undefined) await confirmStop(session, { settings, output });
  }
  const wait = options.wait ?? 'applied';
  const answer = await submit({ type, command_id: options.id, ...fields }, { session, settings, output, wait, timeoutMs });
  const reporting = { output, wait, timeoutMs, isPreview };
  return 'results' in answer ? reportAll(answer, reporting) : report(answer, reporting);
}

type Wait = NonNullable<SendOptions['wait']>;

/** Sends the command; where not its end is waited for, asks again with the same id until it has come so far. */
async function submit(
  command: { type: string; [field: string]: unknown },
  { session, settings, output, wait, timeoutMs }: { session: string; settings: Settings; output: Output; wait: Wait; timeoutMs: number },
): Promise<CommandResult | CommandResults> {
  const deadline = performance.now() + timeoutMs;
  const identified = { ...command, command_id: command['command_id'] ?? newId() };
  const longestMs = wait === 'applied' ? limits.commandTimeoutMaxMs : 500;
  for (let stepMs = wait === 'applied' ? longestMs : 10; ; stepMs = Math.min(stepMs * 2, longestMs)) {
    const leftMs = deadline - performance.now();
    const timeout_ms = Math.max(1, Math.min(stepMs, leftMs));
    const body = { ...identified, timeout_ms };
    const answer = await request(
      settings,
      'command',
      { path: { id: session }, body },
      { timeoutMs: Math.max(timeout_ms, leftMs) + graceMs, output },
    );
    const results = 'results' in answer ? answer.results : [answer];
    // Where no orchestrator is attached, the server answers at once, and waiting would change nothing.
    const isSettled = ({ status, attached }: CommandResult) => reached(status, wait) || (status === 'queued' && !attached);
    if (leftMs <= stepMs || results.every(isSettled)) return answer;
  }
}

/**
 * Shows the effect of a rollback and asks for consent. @returns the fields to roll back with
 * @throws Failure it cannot be shown, or the answer is no
 */
async function confirmedRollback(
  fields: Record<string, unknown>,
  { session, settings, output, timeoutMs }: { session: string; settings: Settings; output: Output; timeoutMs: number },
): Promise<Record<string, unknown>> {
  if (!canAsk(output)) {
    throw usageFailure(
      'ROLLBACK changes files back; off a terminal it needs --yes',
      'see first what: shannon-dash send ROLLBACK --dry-run',
    );
  }
  if (session === '*') throw usageFailure('a rollback of every session cannot be shown first', 'name one: -s SESSION, or add --yes');
  const preview = await submit({ type: 'ROLLBACK', ...fields, dry_run: true }, { session, settings, output, wait: 'applied', timeoutMs });
  const { status, result } = preview as CommandResult;
  if (status !== 'applied')
    throw failureOfResult(preview as CommandResult, { wait: 'applied', timeoutMs }) ?? new Failure('INTERNAL', `it is ${status}`);
  const { previewLines, previewTarget } = await import('../../../view/rollback-preview.ts');
  for (const line of previewLines(result)) output.note(line);
  await confirm(`Roll back ${session}?`);
  // The rollback goes to the checkpoint that was shown, also if there is a newer one by now.
  const { steps = 1, ...others } = fields;
  return { ...others, ...previewTarget(result, { steps: Number(steps) }) };
}

/** Asks before the program of a session is ended that nobody has named. @throws Failure there is nobody to ask, or the answer is no */
async function confirmStop(session: string, { settings, output }: { settings: Settings; output: Output }): Promise<void> {
  const { task } = await request(settings, 'session', { path: { id: session } });
  const what = task === null ? session : `${session} (${safeLine(task, 60)})`;
  if (!canAsk(output)) {
    throw usageFailure(
      `STOP would end ${what}, the only live session; off a terminal name it, or add --yes`,
      `shannon-dash stop ${session}`,
    );
  }
  await confirm(`End the program of ${what}?`);
}

interface Reporting {
  output: Output;
  wait: Wait;
  timeoutMs: number;
  /** A dry run: nothing was changed, and the line must not read as if it was. */
  isPreview: boolean;
}

/** @throws Failure when it did not come as far as was waited for */
async function report(result: CommandResult, { output, wait, timeoutMs, isPreview }: Reporting): Promise<number> {
  const failure = failureOfResult(result, { wait, timeoutMs });
  if (output.isJson) output.document(resultDocument(result, failure === undefined));
  if (failure !== undefined) throw failure;
  if (output.isJson) return exitCodes.ok;
  output.line(resultLine(result, isPreview));
  if (result.command_type !== 'ROLLBACK' || result.result === undefined) return exitCodes.ok;
  const { previewLines } = await import('../../../view/rollback-preview.ts');
  for (const line of previewLines(result.result)) output.line(`  ${line}`);
  return exitCodes.ok;
}

function reportAll({ command_type, results, elapsed_ms }: CommandResults, { output, wait, timeoutMs, isPreview }: Reporting): number {
  const failures = results.map((result) => failureOfResult(result, { wait, timeoutMs }));
  const documents = results.map((result, index) => resultDocument(result, failures[index] === undefined));
  if (output.isJson)
    output.document({ ok: failures.every((each) => each === undefined), command_type, session_id: '*', results: documents, elapsed_ms });
  for (const [index, result] of results.entries()) {
    const failure = failures[index];
    if (failure !== undefined) output.failure(failure);
    else if (!output.isJson) output.line(`${safeLine(result.session_id)}: ${resultLine(result, isPreview)}`);
  }
  if (results.length === 0) output.note('no session is live');
  return failures.find((each) => each !== undefined)?.exitCode ?? exitCodes.ok;
}

function sayOnly({ type, fields }: CommandRequest, session: string, output: Output): number {
  if (output.isJson) output.document({ ok: true, dry_run: true, session_id: session, command_type: type, parameters: fields });
  else output.line(safeLine(`would send ${type} to ${session === '*' ? 'every live session' : session} ${JSON.stringify(fields)}`));
  return exitCodes.ok;
}
