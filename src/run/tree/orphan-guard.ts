import { spawn, type ChildProcess } from 'node:child_process';
import type { TreeRoot } from './tree-members.ts';

/** The shell script waits for the end of its input, which comes however the supervisor ends. The last line names the stopped processes. */
const script = 'while read -r line; do stopped=$line; done; kill -HUP "$1"; kill -CONT "$1" $stopped';

/**
 * Guards against an orphaned program when its supervisor is killed. Nobody could stop such a program, or continue a halted one. So
 * the guard sends it SIGHUP, as a closing terminal does, and continues its stopped processes.
 */
export class OrphanGuard {
  readonly #shell: ChildProcess;

  constructor({ pid, leadsGroup }: TreeRoot) {
    const target = leadsGroup ? -pid : pid;
    // In a session of its own, so that Ctrl-C does not end the guard.
    this.#shell = spawn('sh', ['-c', script, 'sh', String(target)], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.#shell.on('error', () => undefined).unref();
    this.#shell.stdin?.on('error', () => undefined);
  }

  /** Sets the processes that are stopped now; an empty list when the tree runs again. */
  stopped(pids: readonly number[]): void {
    this.#shell.stdin?.write(`${pids.join(' ')}\n`);
  }

  /** Call it when the program has ended. */
  close(): void {
    this.#shell.kill('SIGKILL');
  }
}
