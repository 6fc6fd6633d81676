import { spawn, type ChildProcess } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ownCommand, ownPath } from '../../../executable/own-program.ts';
import { defaultSkillFolders } from '../../../server/skills/skill-registry.ts';
import { shownDuration } from '../../settings/duration.ts';
import { exitCodes } from '../../exit-codes.ts';
import { ProgramChanges } from './program-changes.ts';
import type { Invocation } from '../../invocation.ts';
import { projectFileName } from '../../settings/project-file.ts';
import { markReloading, unmarkReloading } from './reload-mark.ts';
import { userFolders } from '../../settings/user-folders.ts';

const longestStopMs = 5_000;
/** How long a server that has ended by itself stays away: longer each time, unless it has served for a while. */
const firstPauseMs = 100;
const longestPauseMs = 10_000;
const provenMs = 10_000;

/**
 * Serves from a process of its own, which is started anew, on the same port, when the program, its configuration or its
 * skills change. Its clients come back by themselves and go on at their cursors.
 */
export async function serveReloading({ settings, output, interruption }: Invocation<object>): Promise<number> {
  const signal = interruption.hold();
  const server = new ServingChild();
  const changed = new ProgramChanges({
    program: ownPath(),
    files: [...settings.files, join(process.cwd(), projectFileName), join(userFolders().config, 'config.json')],
    skillFolders: defaultSkillFolders({ cwd: process.cwd(), home: homedir(), extra: settings.skills }),
  });
  let pauseMs = firstPauseMs;
  try {
    for (;;) {
      const startedAt = performance.now();
      const ended = server.start();
      const what = await Promise.race([ended, changed.next(), aborted(signal)]);
      if (signal.aborted) return await server.stop();
      if (typeof what === 'string') {
        output.note(`restarting: ${what} changed`);
        await server.stop();
        continue;
      }
      // The server has said why. One that never listened, or that was stopped on purpose, is not started again.
      if (!server.wasReady || what === exitCodes.ok) return what ?? exitCodes.refused;
      if (performance.now() - startedAt > provenMs) pauseMs = firstPauseMs;
      output.warn(`the server ended with ${what ?? 'a signal'}; it starts again in ${shownDuration(pauseMs)}, or with the next change`);
      await Promise.race([changed.next(), aborted(signal), new Promise((done) => setTimeout(done, pauseMs))]);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      if (signal.aborted) return what ?? exitCodes.refused;
    }
  } finally {
    server.leave();
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
    const args = process.argv.slice(2);
    // A loss that was accepted at the first start is not accepted at later ones.
    const once = this.#port === undefined ? ['--reload'] : ['--reload', '--accept-loss'];
    const again = this.#port === undefined ? [] : ['--port', String(this.#port)];
    const [file, words] = ownCommand(...args.filter((each) => !once.includes(each)), ...again);
    const child = spawn(file, words, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
    child.on('message', (message) => {
      this.#port = (message as { port: number }).port;
      markReloading(this.#port);
    });
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    return this.#ended;
  }

  /** It will not come back. */
  leave(): void {
    if (this.#port !== undefined) unmarkReloading(this.#port);
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

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
