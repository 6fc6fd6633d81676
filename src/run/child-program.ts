import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { openOutputPipes } from './output-pipes.ts';
import type { ProgramEnd } from './program-end.ts';
import { sessionLeader, type TreeRoot } from './tree-members.ts';

export interface ChildProgramOptions {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Gets every piece of output after it was passed on. A terminal has one stream for both. */
  onOutput: (stream: 'stdout' | 'stderr', bytes: Buffer) => void;
  /** A key of the terminal was pressed that means this signal to the program, and the program has got the key. */
  onKeySignal: (signal: NodeJS.Signals) => void;
}

/** A program that runs as if it had been started bare, in a session and process group of its own. */
export interface ChildProgram {
  readonly root: TreeRoot;
  readonly ended: Promise<ProgramEnd>;
  /** Gives our own terminal back while `pause` lasts, as when a shell takes it to suspend us. */
  withoutTerminal(pause: () => Promise<void>): Promise<void>;
}

/** What a child of the program may still say after the program's end, without a pause as long as this. */
const afterwordMs = 200;

/**
 * Starts a program. On a terminal it gets a terminal of its own, with the same size, and all keys; else its output goes
 * through pipes, byte for byte, and it reads our own input.
 * @throws the system's error when it cannot be started, as ENOENT
 */
export async function startChildProgram(options: ChildProgramOptions): Promise<ChildProgram> {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && process.stderr.isTTY;
  const pty = isTerminal ? await import('@lydell/node-pty').catch(() => undefined) : undefined;
  if (pty === undefined) return startOnPipes(options);
  const { startOnTerminal } = await import('./terminal-program.ts');
  return startOnTerminal(pty.spawn, options);
}

async function startOnPipes({ command, args, env, onOutput }: ChildProgramOptions): Promise<ChildProgram> {
  const pipes = await openOutputPipes();
  // `detached` makes it the leader of a new session and group: what is stopped, is stopped as a whole.
  const child = spawn(command, args, { env, detached: true, stdio: ['inherit', ...(pipes?.stdio ?? (['pipe', 'pipe'] as const))] });
  const readers = pipes?.readers ?? [
    { stream: 'stdout' as const, from: child.stdout as Readable },
    { stream: 'stderr' as const, from: child.stderr as Readable },
  ];
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
  } catch (error) {
    for (const { from } of readers) from.destroy();
    throw error;
  } finally {
    pipes?.handedOver();
  }
  const ended = new Promise<ProgramEnd>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code: code ?? 128 + constants.signals[signal ?? 'SIGKILL'], signal }));
  });
  const passages = readers.map(({ stream, from }) => new Passage(from, process[stream], (bytes) => onOutput(stream, bytes)));
  return {
    root: sessionLeader(child.pid ?? 0),
    ended: ended.then(async (end) => {
      await Promise.all(passages.map((passage) => passage.finish()));
      return end;
    }),
    withoutTerminal: (pause) => pause(),
  };
}

/** Passes bytes on as they are, no faster than they are taken: a slow reader slows the program, as it would bare. */
class Passage {
  readonly #from: Readable;
  readonly #to: NodeJS.WriteStream;
  readonly #isOver: Promise<void>;
  #isBlocked = false;
  #passedAt = 0;

  constructor(from: Readable, to: NodeJS.WriteStream, onBytes: (bytes: Buffer) => void) {
    this.#from = from;
    this.#to = to;
    this.#isOver = new Promise((resolve) => from.once('close', () => resolve()));
    from.on('error', () => from.destroy());
    // Nobody reads any more. Closing our end lets the program find out by SIGPIPE, as it would bare.
    to.once('error', () => from.destroy());
    from.on('data', (bytes: Buffer) => {
      this.#passedAt = performance.now();
      onBytes(bytes);
      if (from.destroyed || to.write(bytes)) return;
      from.pause();
      this.#isBlocked = true;
      to.once('drain', () => {
        this.#isBlocked = false;
        this.#passedAt = performance.now();
        from.resume();
      });
    });
  }

  /**
   * The program has ended: resolves when all that it wrote has been taken. What it started and left behind may hold the
   * pipe open for as long as it likes; that is not waited for, as no shell would.
   */
  async finish(): Promise<void> {
    this.#passedAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const isQuiet = new Promise<void>((resolve) => {
      const look = () => {
        const quietMs = this.#isBlocked ? 0 : performance.now() - this.#passedAt;
        if (quietMs >= afterwordMs) resolve();
        else timer = setTimeout(look, afterwordMs - quietMs);
      };
      look();
    });
    await Promise.race([this.#isOver, isQuiet]);
    clearTimeout(timer);
    this.#from.destroy();
    if (!this.#to.errored && this.#to.writable) await new Promise<void>((resolve) => this.#to.write('', () => resolve()));
  }
}
