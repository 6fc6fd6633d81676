import { spawn, type ChildProcess } from 'node:child_process';
import type { TreeRoot } from './tree-members.ts';

/** Waits for the end of its input, which comes when we are gone, however that was; the last line names what stands still. */
const script = 'while read -r line; do stopped=$line; done; kill -HUP "$1"; kill -CONT "$1" $stopped';

/**
 * Sees to it that a program does not stay behind when its supervisor is killed, stopped for ever or without anybody who could
 * stop it: it is hung up on, as by a terminal that goes away, and may go on.
 */
export class OrphanGuard {
  readonly #shell: ChildProcess;

  constructor({ pid, leadsGroup }: TreeRoot) {
    const target = leadsGroup ? -pid : pid;
    // In a session of its own: a Ctrl-C is not meant for it.
    this.#shell = spawn('sh', ['-c', script, 'sh', String(target)], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.#shell.on('error', () => undefined).unref();
    this.#shell.stdin?.on('error', () => undefined);
  }

  /** What stands still from now on; nothing, when it goes on. */
  stopped(pids: readonly number[]): void {
    this.#shell.stdin?.write(`${pids.join(' ')}\n`);
  }

  /** The program has ended by itself. */
  close(): void {
    this.#shell.kill('SIGKILL');
  }
}
