import { fork, type ChildProcess } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { watch } from 'chokidar';
import { defaultSkillFolders } from '../server/skill-registry.ts';
import { exitCodes } from './exit-codes.ts';
import type { Invocation } from './program.ts';
import { projectFileName } from './project-file.ts';
import { userFolders } from './user-folders.ts';

/** A build writes many files; the restart waits until it is quiet. */
const quietMs = 200;
const longestStopMs = 5_000;

/**
 * Serves from a process of its own, which is started anew, on the same port, when the program, its configuration or its
 * skills change. Its clients come back by themselves and go on at their cursors.
 */
export async function serveReloading({ settings, output, interruption }: Invocation<object>): Promise<number> {
  const signal = interruption.hold();
  const server = new ServingChild();
  const changed = new Changes([
    fileURLToPath(new URL('..', import.meta.url)),
    ...settings.files,
    join(process.cwd(), projectFileName),
    join(userFolders().config, 'config.json'),
    ...defaultSkillFolders({ cwd: process.cwd(), home: homedir(), extra: settings.skills }).map(({ path }) => path),
  ]);
  try {
    for (;;) {
      const ended = server.start();
      const what = await Promise.race([ended, changed.next(), aborted(signal)]);
      if (signal.aborted) return await server.stop();
      if (typeof what === 'string') {
        output.note(`restarting: ${what} changed`);
        await server.stop();
        continue;
      }
      // It has said why itself. At the beginning that is for whoever started it; later the next change may mend it.
      if (!server.wasReady) return what ?? exitCodes.refused;
      output.warn(`the server ended with ${what ?? 'a signal'}; it starts again with the next change`);
      await Promise.race([changed.next(), aborted(signal)]);
      if (signal.aborted) return what ?? exitCodes.refused;
    }
  } finally {
    await changed.close();
  }
}

/** The process that serves. */
class ServingChild {
  #child: ChildProcess | undefined;
  #ended: Promise<number | null> = Promise.resolve(null);
  #port: number | undefined;

  /** Whether it listened once. */
  get wasReady(): boolean {
    return this.#port !== undefined;
  }

  /** Resolves with its exit code; null after a signal. */
  start(): Promise<number | null> {
    const [script = '', ...args] = process.argv.slice(1);
    const again = this.#port === undefined ? [] : ['--port', String(this.#port)];
    const child = fork(script, [...args.filter((each) => each !== '--reload'), ...again]);
    child.on('message', (message) => (this.#port = (message as { port: number }).port));
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    return this.#ended;
  }

  /** Over the channel and not by a signal: Ctrl-C has reached the child as well, and a second one would force it. */
  async stop(): Promise<number> {
    const child = this.#child;
    if (child?.connected === true) child.disconnect();
    const force = setTimeout(() => child?.kill('SIGKILL'), longestStopMs);
    const code = await this.#ended;
    clearTimeout(force);
    return code ?? exitCodes.refused;
  }
}

/** Changes of files, gathered until it is quiet. */
class Changes {
  readonly #watcher;
  #waiting: ((path: string) => void) | undefined;
  #changed: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(paths: readonly string[]) {
    this.#watcher = watch([...paths], { ignoreInitial: true });
    this.#watcher.on('all', (_, path) => this.#onChange(path));
    // What cannot be watched is no reason not to serve.
    this.#watcher.on('error', () => undefined);
  }

  /** Resolves with one of the paths that changed since the last call. */
  next(): Promise<string> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#tell();
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#watcher.close();
  }

  #onChange(path: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#changed = path;
      this.#tell();
    }, quietMs);
  }

  #tell(): void {
    if (this.#changed === undefined || this.#waiting === undefined) return;
    const path = this.#changed;
    this.#changed = undefined;
    this.#waiting(path);
    this.#waiting = undefined;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
