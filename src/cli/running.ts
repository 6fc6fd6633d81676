import { randomBytes } from 'node:crypto';
import { supervise, type SuperviseResult } from '../run/supervisor.ts';
import type { DashServer } from '../server/create-server.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import { openJournal } from './journal-file.ts';
import type { Invocation } from './program.ts';
import type { Settings } from './settings.ts';

export interface RunOptions {
  session?: string;
  checkpoints: 'git' | 'none';
  files: boolean;
}

const answerMs = 2_000;
/** Exit codes of a shell for a command that is not there, or is no program. */
const notFoundCode = 127;
const notExecutableCode = 126;

/** Runs a program under supervision and ends as it ended. */
export async function runProgram({ args, options, settings, output, interruption }: Invocation<RunOptions>): Promise<number> {
  const [command = '', ...rest] = args;
  const session = options.session ?? `run-${randomBytes(2).toString('hex')}`;
  const embedded = (await isAnswered(settings.url)) ? undefined : await embedServer(settings);
  // Between a terminal's user and the program there is nothing but a line at the start; elsewhere not even that.
  const note = (sentence: string) => {
    if (process.stderr.isTTY) output.note(sentence);
  };
  note(`session ${session}${embedded === undefined ? '' : ` at ${embedded.url}`}  ·  watch it: shannon-dash watch ${session}`);
  interruption.release();
  let end: SuperviseResult;
  try {
    end = await supervise({
      url: embedded?.url ?? settings.url,
      token: settings.token,
      client: settings.client,
      session,
      command,
      args: rest,
      checkpoints: options.checkpoints,
      watchesFiles: options.files,
      onNote: note,
    });
  } catch (error) {
    throw startFailure(command, error);
  } finally {
    await embedded?.server.close();
  }
  if (end.undelivered > 0) note(`the server was away to the end: ${end.undelivered} events did not reach it`);
  return endAs(end);
}

/** Whether a server of ours answers there. */
async function isAnswered(url: string): Promise<boolean> {
  try {
    const response = await fetch(new URL('health', url.endsWith('/') ? url : `${url}/`), { signal: AbortSignal.timeout(answerMs) });
    return response.ok && ((await response.json()) as { status?: unknown }).status === 'healthy';
  } catch {
    return false;
  }
}

/** @throws Failure the URL is not one of this machine, or the port is somebody else's */
async function embedServer(settings: Settings): Promise<{ url: string; server: DashServer }> {
  const { hostname, port } = new URL(settings.url);
  if (hostname !== 'localhost' && hostname !== '[::1]' && !hostname.startsWith('127.')) {
    throw new Failure('UNREACHABLE', `cannot reach ${settings.url}`, {
      hints: ['start a server there, or leave --url out: run starts one here'],
    });
  }
  const { createServer } = await import('../server/create-server.ts');
  const journal = await openJournal({ path: settings.journal, fsync: settings.fsync });
  const server = await createServer({ journal, skillFolders: settings.skills, corsOrigins: settings.corsOrigins });
  try {
    const { url } = await server.listen({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) });
    return { url, server };
  } catch (cause) {
    await server.close();
    throw new Failure('CONFLICT', `port ${port} is in use, and what listens there is no shannon-dash`, {
      hints: ['take another: shannon-dash serve --port 0, then run with --url URL'],
      exitCode: exitCodes.refused,
      cause,
    });
  }
}

function startFailure(command: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall?.startsWith('spawn') !== true) return error;
  const isMissing = code === 'ENOENT';
  return new Failure('NOT_FOUND', isMissing ? `command not found: ${command}` : `cannot run ${command}: ${code ?? 'unknown error'}`, {
    hints: ['what runs in your shell runs here: shannon-dash run -- COMMAND'],
    exitCode: isMissing ? notFoundCode : notExecutableCode,
    cause: error,
  });
}

/** Ends by the signal that ended the program, so that whoever called sees the same; else with its exit code. */
async function endAs({ code, signal }: SuperviseResult): Promise<number> {
  if (signal === null || process.platform === 'win32') return code;
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // A signal that the system holds back, or that does not end us: the exit code says it then.
  await new Promise((resolve) => setTimeout(resolve, 200));
  return code;
}
