import { randomBytes } from 'node:crypto';
import { readEnvironment } from '../../../client/environment.ts';
import { callApi } from '../../../client/sessions-api.ts';
import { NoCheckpointsError } from '../../../run/git/git-command.ts';
import { redactionOf } from '../../../run/output/redaction-patterns.ts';
import { endAllGit } from '../../../run/git/git-process.ts';
import { supervise, type SuperviseResult } from '../../../run/supervisor.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { limits } from '../../../core/protocol/limits.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure, failureOf, outputFailure, usageFailure } from '../../failure.ts';
import { filesOfJournal } from '../serve/journal-file.ts';
import { removeForgotten } from '../checkpoint/kept-checkpoints.ts';
import type { RunOptions } from './definition.ts';
import { leaveToPassOn } from './late-output.ts';
import { withOwnCommand } from './own-command.ts';
import type { Invocation } from '../../invocation.ts';
import { LocalServer } from '../../server-access/local-server.ts';
import type { Settings } from '../../settings/settings.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { shownDuration } from '../../settings/duration.ts';
import { userFolders } from '../../settings/user-folders.ts';

const answerMs = 2_000;
const labelChars = 100;
const tokenVariables = ['SHANNON_DASH_TOKEN', 'SHANNON_DASH_TOKEN_FILE'];

/** The next steps where checkpoints are not possible. */
const checkpointHints: Record<NoCheckpointsError['reason'], readonly string[]> = {
  'no-work-tree': ['make it a repository: git init'],
  'no-git': ['install git'],
  'other-owner': ['if you trust whose it is: git config --global --add safe.directory FOLDER, the one that is named above'],
  unusable: [],
};

/** Runs a program under supervision and ends as it ended. */
export async function runSupervised({ args, options, settings: given, output, interruption }: Invocation<RunOptions>): Promise<number> {
  const [command = '', ...rest] = args;
  // Inside another run the token is that of its session, and worth nothing for this one.
  const isOfOuterRun = given.token?.startsWith('sd_run_') === true && options.session !== readEnvironment().session;
  const settings = isOfOuterRun ? { ...given, token: undefined } : given;
  const { url, token } = settings;
  const isByItself = options.redactsByItself !== false;
  const redaction = await redactionOf({ hasBuiltIn: isByItself, patterns: settings.redact });
  // It has been read. No program that is started from here on inherits it: neither COMMAND nor git and its hooks.
  for (const name of tokenVariables) delete process.env[name];
  // Sentences of the server about its journal: shown at once before the program has the terminal, later ones after its end.
  const later: string[] = [];
  let tell = (sentence: string) => output.warn(sentence);
  const server = new LocalServer(settings, (sentence) => tell(sentence));
  // Asked for while the server is looked for: most often it is there.
  const proposed = options.session === undefined ? freeName(settings) : undefined;
  const missing = await server.reach().then(
    () => undefined,
    (error: unknown) => failureOf(error),
  );
  if (missing !== undefined) {
    if (options.requireServer === true) throw missing;
    const meanwhile =
      missing.code === 'UNAUTHENTICATED'
        ? 'and that server hears nothing of it; give a token: --token-file FILE   (SHANNON_DASH_TOKEN)'
        : 'and its events wait for a server there';
    output.warn(`${missing.message}; the program runs, ${meanwhile}`);
  }
  const session = options.session ?? (await proposed) ?? (missing === undefined ? await freeName(settings) : undefined) ?? randomName(8);
  // On a terminal the program's output is preceded by one line; elsewhere by none.
  const isPersonal = process.stderr.isTTY;
  const isTold = isPersonal || output.isVerbose;
  tell = (sentence) => later.push(sentence);
  if (isTold) output.note(`session ${session}${server.isStarted ? ` at ${url}` : ''}  ·  watch it: shannon-dash watch ${session}`);
  interruption.release();
  // The program notices by itself that its reader has gone, and where its output goes.
  let lost: NodeJS.ErrnoException | undefined;
  process.stdout.removeAllListeners('error').on('error', (error: NodeJS.ErrnoException) => (lost ??= error));
  if (options.checkpoints === 'git') void removeForgotten({ ...settings, url }, session).catch(() => undefined);
  const startedAt = performance.now();
  let end: SuperviseResult;
  try {
    end = await supervise({
      url,
      token,
      client: settings.client,
      session,
      command,
      args: rest,
      checkpoints: options.checkpoints,
      stateFolder: userFolders().state,
      labels: labelsOf(options.label),
      takesOver: options.takeOver === true,
      watchesFiles: options.files,
      tellsDiffs: options.diffs,
      redaction,
      // The journal is written for each change of a file: that must not count as the next change, and a rollback must not undo it.
      leftOut: [settings.journal, ...(server.journal === undefined ? [] : [server.journal])].flatMap(filesOfJournal),
      // While the program has the terminal it is not ours to write on.
      onNote: (sentence) => later.push(sentence),
      onStandstill: (sentence) =>
        isTold && process.stderr.write(`${isPersonal ? '\r\n' : ''}${safeLine(sentence, 500)}${isPersonal ? '\r\n' : '\n'}`),
      waitsForServer: missing === undefined,
      restoreServer: () => server.restore(),
      leave: (passages) => leaveToPassOn(passages, { url, session, token, redacted: { isByItself, patterns: settings.redact } }),
      programPath: withOwnCommand(process.env['PATH'], userFolders().state),
    });
  } catch (error) {
    throw startFailure(command, session, error);
  } finally {
    if (isPersonal) for (const sentence of later) output.note(sentence);
  }
  if (isTold) output.note(endSentence(end, session, performance.now() - startedAt));
  if (end.undelivered > 0)
    output.warn(`the server at ${url} was away to the end: ${end.undelivered} events of ${session} did not reach it`);
  // Bare the program would have been told that its output does not fit; it wrote to us, and we took it.
  if (lost !== undefined && lost.code !== 'EPIPE' && lost.code !== 'EIO') {
    output.failure(outputFailure(lost));
    if (end.code === exitCodes.ok) return exitCodes.refused;
  }
  return endAs(end);
}

/** @throws Failure there are too many, or one is empty or too long */
function labelsOf(given: readonly string[] = []): readonly string[] {
  if (given.length > limits.labels) throw usageFailure(`--label can be given at most ${limits.labels} times`);
  if (given.some((each) => each === '' || each.length > labelChars)) throw usageFailure(`--label must have 1 to ${labelChars} characters`);
  return given;
}

/** How a run has ended, and where its story is told. */
function endSentence({ code, signal, survivors }: SuperviseResult, session: string, ms: number): string {
  const how = signal !== null ? `ended by ${signal}` : code === 0 ? 'completed' : `failed with exit code ${code}`;
  const named = survivors.map(({ pid, name }) => `${safeLine(name, 40)} (${pid})`).join(', ');
  const goesOn = survivors.length === 0 ? '' : `, and what it started goes on: ${named}`;
  return `session ${session} ${how} after ${shownDuration(ms)}${goesOn}  ·  look: shannon-dash sessions show ${session}`;
}

/** A name that no session has, short since people type it; undefined where no server says so. */
async function freeName({ url, token }: Settings): Promise<string | undefined> {
  for (let bytes = 2; ; bytes++) {
    const name = randomName(bytes);
    const code = await callApi('session', { path: { id: name } }, { url, token, timeoutMs: answerMs }).then(
      () => 'taken',
      (error: unknown) => (error instanceof ShannonDashError ? error.code : undefined),
    );
    if (code !== 'taken') return code === 'NOT_FOUND' ? name : undefined;
    if (bytes === 8) return name;
  }
}

function randomName(bytes: number): string {
  return `run-${randomBytes(bytes).toString('hex')}`;
}

function startFailure(command: string, session: string, error: unknown): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (error instanceof NoCheckpointsError) {
    return new Failure('INVALID', message, {
      hints: [...checkpointHints[error.reason], 'or run without: leave --checkpoints out'],
      exitCode: exitCodes.refused,
      cause: error,
    });
  }
  if (error instanceof ShannonDashError && error.code === 'NOT_FOUND') {
    return new Failure('NOT_FOUND', `the token does not reach a session named ${session}`, {
      hints: ['name one that it reaches: shannon-dash run -s NAME -- ...', 'or give another token: --token-file FILE'],
      exitCode: exitCodes.refused,
      cause: error,
    });
  }
  if (error instanceof ShannonDashError && error.code === 'CONFLICT') {
    return new Failure('CONFLICT', message, {
      hints: ['run under another name: -s NAME', `take the session over: shannon-dash run -s ${session} --take-over -- ...`],
      exitCode: exitCodes.refused,
      cause: error,
    });
  }
  if (syscall?.startsWith('spawn') !== true) return error;
  const isMissing = code === 'ENOENT';
  return new Failure(
    'NOT_FOUND',
    isMissing
      ? `command not found: ${command}`
      : `cannot run ${command} (${code === 'EACCES' ? 'permission denied' : (code ?? 'unknown error')})`,
    {
      hints: ['what runs in your shell runs here: shannon-dash run -- COMMAND'],
      exitCode: isMissing ? exitCodes.noSuchCommand : exitCodes.notExecutable,
      cause: error,
    },
  );
}

/** Ends by the signal that ended the program, so that the caller sees the same; else with its exit code. */
async function endAs({ code, signal }: SuperviseResult): Promise<number> {
  if (signal === null || process.platform === 'win32') return code;
  await new Promise<void>((resolve) => process.stderr.write('', () => resolve()));
  if (signal !== 'SIGKILL' && signal !== 'SIGSTOP') {
    // Node ignores some (SIGPIPE) and listens to others; to listen and to cease to brings the system's own way back.
    process.once(signal, () => undefined).removeAllListeners(signal);
  }
  // Node emits no `exit` then, at which git would be ended.
  endAllGit();
  process.kill(process.pid, signal);
  // A signal that the system holds back, or that does not end us: the exit code says it then.
  await new Promise((resolve) => setTimeout(resolve, 200));
  return code;
}
