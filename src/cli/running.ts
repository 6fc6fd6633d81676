import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { NoCheckpointsError } from '../run/git-command.ts';
import { supervise, type SuperviseResult } from '../run/supervisor.ts';
import { endpoint, exchange, type HttpAnswer } from '../client/http-exchange.ts';
import { isLoopback } from '../core/loopback.ts';
import type { Journal } from '../journal/journal.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure, outputFailure, TakenFailure } from './failure.ts';
import { filesOfJournal, openJournal } from './journal-file.ts';
import { portHolder } from './port-holder.ts';
import type { Invocation } from './program.ts';
import { statsAnswer } from './server-answers.ts';
import { userFolders } from './user-folders.ts';
import { accessOf, type Settings } from './settings.ts';

export interface RunOptions {
  session?: string;
  checkpoints: 'git' | 'none';
  files: boolean;
}

/** Says something to whoever runs this. */
type Tell = (sentence: string) => void;

interface EmbeddedServer {
  readonly url: string;
  close(): Promise<void>;
}

const answerMs = 2_000;
/** How often, and after how long, a port or a journal that is taken is looked at again. */
const embedAttempts = 4;
const embedAgainMs = 300;
/** Exit codes of a shell for a command that is not there, or is no program. */
const notFoundCode = 127;
const notExecutableCode = 126;

/** A server of ours, be it in trouble. */
const healthAnswer = z.object({ status: z.string(), version: z.string(), uptime_seconds: z.number() });

/** What makes checkpoints possible. */
const checkpointHints: Record<NoCheckpointsError['reason'], readonly string[]> = {
  'no-work-tree': ['make it a repository: git init'],
  'no-git': ['install git'],
  'other-owner': ['if you trust whose it is: git config --global --add safe.directory FOLDER, the one that is named above'],
  unusable: [],
};

/** Runs a program under supervision and ends as it ended. */
export async function runProgram({ args, options, settings, output, interruption }: Invocation<RunOptions>): Promise<number> {
  const [command = '', ...rest] = args;
  // What a server of our own has to say of its journal: before the program has the terminal, and after that.
  const later: string[] = [];
  let tell = (sentence: string) => output.warn(sentence);
  const { url, embedded } = await reachServer(settings, (sentence) => tell(sentence));
  const journals = [settings.journal, ...(await journalOf(url))];
  const session = options.session ?? (await newSession(url));
  // Between a terminal's user and the program there is nothing but a line at the start; elsewhere not even that.
  const isPersonal = process.stderr.isTTY;
  tell = (sentence) => later.push(sentence);
  if (isPersonal)
    output.note(`session ${session}${embedded === undefined ? '' : ` at ${url}`}  ·  watch it: shannon-dash watch ${session}`);
  interruption.release();
  // A reader that has enough is the program's to notice, and so is where the output goes in general.
  let lost: NodeJS.ErrnoException | undefined;
  process.stdout.removeAllListeners('error').on('error', (error: NodeJS.ErrnoException) => (lost ??= error));
  let end: SuperviseResult;
  try {
    end = await supervise({
      url,
      token: settings.token,
      client: settings.client,
      session,
      command,
      args: rest,
      checkpoints: options.checkpoints,
      stateFolder: userFolders().state,
      watchesFiles: options.files,
      // What is written there for each change of a file would be the next one; and a rollback must not turn it back.
      leftOut: journals.flatMap(filesOfJournal),
      // While the program has the terminal it is not ours to write on.
      onNote: (sentence) => later.push(sentence),
      // The server of another run ends with that one, and what happened since would be lost.
      standIn: (epoch) => standIn(settings, { session, epoch }, tell),
    });
  } catch (error) {
    throw startFailure(command, error);
  } finally {
    await embedded?.close();
    if (isPersonal) for (const sentence of later) output.note(sentence);
  }
  if (isPersonal && end.undelivered > 0) output.note(`the server was away to the end: ${end.undelivered} events did not reach it`);
  // Bare the program would have been told that its output does not fit; it wrote to us, and we took it.
  if (lost !== undefined && lost.code !== 'EPIPE' && lost.code !== 'EIO') {
    output.failure(outputFailure(lost));
    if (end.code === exitCodes.ok) return exitCodes.refused;
  }
  return endAs(end);
}

/**
 * The server that answers at the URL, or one of our own there. Of several runs that begin at once the first one makes it.
 * @throws Failure the URL is not one of this machine, or the port or the journal is somebody else's
 */
async function reachServer(settings: Settings, tell: Tell): Promise<{ url: string; embedded?: EmbeddedServer }> {
  for (let attempt = 1; ; attempt++) {
    if (await isAnswered(settings.url)) return { url: settings.url };
    try {
      const embedded = await embedServer(settings, tell);
      return { url: embedded.url, embedded };
    } catch (error) {
      // It may be another run, whose server answers in a moment.
      if (attempt === embedAttempts || !(error instanceof TakenFailure)) throw error;
      await new Promise((resolve) => setTimeout(resolve, embedAgainMs));
    }
  }
}

/** Whether a server of ours answers there. */
async function isAnswered(url: string): Promise<boolean> {
  try {
    return healthAnswer.safeParse(JSON.parse((await ask(url, 'health')).text)).success;
  } catch {
    return false;
  }
}

/** Where the server keeps its journal, be it on this machine. */
async function journalOf(url: string): Promise<string[]> {
  try {
    const { journal } = statsAnswer.parse(JSON.parse((await ask(url, 'api/stats')).text));
    return [journal.location];
  } catch {
    return [];
  }
}

/** A name that no session has. Short, since people type it; who is asked and does not answer has no objection. */
async function newSession(url: string): Promise<string> {
  for (let bytes = 2; ; bytes++) {
    const name = `run-${randomBytes(bytes).toString('hex')}`;
    const { status } = await ask(url, `api/sessions/${name}`).catch(() => ({ status: 0 }));
    if (status !== 200 || bytes === 8) return name;
  }
}

function ask(url: string, path: string): Promise<HttpAnswer> {
  return exchange(endpoint(url, path), { signal: AbortSignal.timeout(answerMs) });
}

/** A server in the place of one that went away, if our journal is the one that it had. */
async function standIn(
  settings: Settings,
  { session, epoch }: { session: string; epoch: string },
  tell: Tell,
): Promise<EmbeddedServer | undefined> {
  if (!isHere(settings.url) || settings.journal === 'memory') return undefined;
  const journal = await openOwnJournal(settings, tell);
  if ((await journal.head(session))?.epoch === epoch) return listen(journal, settings);
  await journal.close();
  return undefined;
}

/** @throws Failure the URL is not one of this machine, or the port or the journal is somebody else's */
async function embedServer(settings: Settings, tell: Tell): Promise<EmbeddedServer> {
  if (isHere(settings.url)) return listen(await openOwnJournal(settings, tell), settings);
  throw new Failure('UNREACHABLE', `cannot reach ${settings.url}`, {
    hints: ['start a server there, or leave --url out: run starts one here'],
  });
}

/** A journal that lost something is opened all the same: the program is to run, and the damaged files are kept. */
async function openOwnJournal({ journal: path, fsync }: Settings, tell: Tell): Promise<Journal> {
  const journal = await openJournal({ path, fsync, hasFlag: false, acceptLoss: true });
  journal.onProblem(tell);
  return journal;
}

function isHere(url: string): boolean {
  const { hostname, protocol } = new URL(url);
  return protocol === 'http:' && isLoopback(hostname);
}

async function listen(journal: Journal, settings: Settings): Promise<EmbeddedServer> {
  const { hostname, port } = new URL(settings.url);
  const { createServer } = await import('../server/create-server.ts');
  const server = await createServer({ journal, skillFolders: settings.skills, ...accessOf(settings) });
  try {
    const { url } = await server.listen({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) });
    return { url, close: () => server.close() };
  } catch (cause) {
    await server.close();
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    const holder = await portHolder(Number(port || 80));
    const named = holder === undefined ? 'what listens there' : holder;
    throw new TakenFailure('CONFLICT', `port ${port || 80} is in use, and ${named} is no shannon-dash`, {
      hints: ['take another: shannon-dash serve --port 0, then run with --url URL   (SHANNON_DASH_URL)'],
      exitCode: exitCodes.refused,
      cause,
    });
  }
}

function startFailure(command: string, error: unknown): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (error instanceof NoCheckpointsError) {
    return new Failure('INVALID', message, {
      hints: [...checkpointHints[error.reason], 'or run without: leave --checkpoints out'],
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
      exitCode: isMissing ? notFoundCode : notExecutableCode,
      cause: error,
    },
  );
}

/** Ends by the signal that ended the program, so that whoever called sees the same; else with its exit code. */
async function endAs({ code, signal }: SuperviseResult): Promise<number> {
  if (signal === null || process.platform === 'win32') return code;
  await new Promise<void>((resolve) => process.stderr.write('', () => resolve()));
  if (signal !== 'SIGKILL' && signal !== 'SIGSTOP') {
    // Node ignores some (SIGPIPE) and listens to others; to listen and to cease to brings the system's own way back.
    process.once(signal, () => undefined).removeAllListeners(signal);
  }
  process.kill(process.pid, signal);
  // A signal that the system holds back, or that does not end us: the exit code says it then.
  await new Promise((resolve) => setTimeout(resolve, 200));
  return code;
}
