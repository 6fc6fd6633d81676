import { randomUUID } from 'node:crypto';
import { connectOperator, type Operator } from '../client/operator.ts';
import type { CommandInput, CommandRequest, CommandResult, CommandResults } from '../core/command.ts';
import { limits } from '../core/limits.ts';
import { safeLine } from '../core/safe-text.ts';
import { previewLines, previewTarget } from '../dashboard/view/rollback-preview.ts';
import { commandOf, commandType } from './command-flags.ts';
import type { SendOptions } from './commands/send.ts';
import { connecting } from './connecting.ts';
import { confirm } from './confirm.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure, usageFailure } from './failure.ts';
import { chooseSession } from './live-sessions.ts';
import type { Output } from './output.ts';
import type { Invocation } from './program.ts';
import { failureOfResult, reached, resultDocument, resultLine } from './send-result.ts';

/** Sends a command, waits as long as asked for, and says where it stands. */
export async function send({ args: [given = ''], options, settings, output }: Invocation<SendOptions>): Promise<number> {
  const type = commandType(given);
  const request = commandOf(type, options);
  const timeoutMs = settings.timeoutMs ?? limits.commandTimeoutMs;
  const isPreview = options.dryRun === true;
  const canAsk = process.stdin.isTTY && process.stderr.isTTY && !output.isJson;
  if (type === 'ROLLBACK' && !isPreview && options.yes !== true && !canAsk) {
    throw usageFailure(
      'ROLLBACK changes files back; off a terminal it needs --yes',
      'see first what: shannon-dash send ROLLBACK --dry-run',
    );
  }
  if (isPreview && type !== 'ROLLBACK') return sayOnly(request, options.all === true ? '*' : await chooseSession(settings), output);
  const operator = await connecting(settings, (connect) => connectOperator(connect));
  try {
    const sending = { operator, wait: options.wait ?? 'applied', timeoutMs };
    let session = options.all === true ? '*' : settings.session;
    let { fields } = request;
    if (type === 'ROLLBACK' && !isPreview && options.yes !== true) {
      const preview = only(await submit({ type, session_id: session, ...fields, dry_run: true }, sending));
      if (preview.status !== 'applied') return report(preview, { output, wait: 'applied', timeoutMs });
      for (const line of previewLines(preview.result)) output.note(line);
      if (!(await confirm(`Roll back ${preview.session_id}?`)))
        throw new Failure('CONFLICT', 'nothing was changed', { exitCode: exitCodes.refused });
      session = preview.session_id;
      // What was shown is what happens, also if there is a newer checkpoint by now.
      const { steps: _, ...others } = fields;
      fields = { ...others, ...previewTarget(preview.result, { steps: Number(fields['steps'] ?? 1) }) };
    }
    const answer = await submit({ type, session_id: session, command_id: options.id, ...fields }, sending);
    if ('results' in answer) return reportAll(answer, { output, wait: sending.wait, timeoutMs });
    return report(answer, { output, wait: sending.wait, timeoutMs });
  } finally {
    await operator.close();
  }
}

type Wait = NonNullable<SendOptions['wait']>;

/** Sends the command; where not its end is waited for, asks again with the same id until it has come so far. */
async function submit(
  command: Record<string, unknown>,
  { operator, wait, timeoutMs }: { operator: Operator; wait: Wait; timeoutMs: number },
): Promise<CommandResult | CommandResults> {
  const deadline = performance.now() + timeoutMs;
  const identified = { ...command, command_id: command['command_id'] ?? randomUUID() };
  for (let stepMs = wait === 'applied' ? timeoutMs : 10; ; stepMs = Math.min(stepMs * 2, 500)) {
    const leftMs = deadline - performance.now();
    const answer = await operator.send({ ...identified, timeout_ms: Math.max(1, Math.min(stepMs, leftMs)) } as CommandInput);
    const results = 'results' in answer ? answer.results : [answer];
    if (leftMs <= stepMs || results.every(({ status }) => reached(status, wait))) return answer;
  }
}

function only(answer: CommandResult | CommandResults): CommandResult {
  if (!('results' in answer)) return answer;
  throw usageFailure('a rollback of every session cannot be shown first', 'name one: -s SESSION, or add --yes');
}

interface Reporting {
  output: Output;
  wait: Wait;
  timeoutMs: number;
}

/** @throws Failure when it did not come as far as was waited for */
function report(result: CommandResult, { output, wait, timeoutMs }: Reporting): number {
  const failure = failureOfResult(result, { wait, timeoutMs });
  if (output.isJson) output.document(resultDocument(result, failure === undefined));
  if (failure !== undefined) throw failure;
  if (output.isJson) return exitCodes.ok;
  output.line(resultLine(result));
  if (result.command_type === 'ROLLBACK' && result.result !== undefined)
    for (const line of previewLines(result.result)) output.line(`  ${line}`);
  return exitCodes.ok;
}

function reportAll({ command_type, results, elapsed_ms }: CommandResults, { output, wait, timeoutMs }: Reporting): number {
  const failures = results.map((result) => failureOfResult(result, { wait, timeoutMs }));
  const documents = results.map((result, index) => resultDocument(result, failures[index] === undefined));
  if (output.isJson)
    output.document({ ok: failures.every((each) => each === undefined), command_type, session_id: '*', results: documents, elapsed_ms });
  for (const [index, result] of results.entries()) {
    const failure = failures[index];
    if (failure !== undefined) output.failure(failure);
    else if (!output.isJson) output.line(`${safeLine(result.session_id)}: ${resultLine(result)}`);
  }
  if (results.length === 0) output.note('no session is live');
  return failures.find((each) => each !== undefined)?.exitCode ?? exitCodes.ok;
}

function sayOnly({ type, fields }: CommandRequest, session: string, output: Output): number {
  if (output.isJson) output.document({ ok: true, dry_run: true, session_id: session, command_type: type, parameters: fields });
  else output.line(safeLine(`would send ${type} to ${session === '*' ? 'every live session' : session} ${JSON.stringify(fields)}`));
  return exitCodes.ok;
}
