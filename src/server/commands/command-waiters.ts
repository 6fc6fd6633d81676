import { limits } from '../../core/protocol/limits.ts';
import type { CommandState } from '../../core/protocol/session-state.ts';

type Settle = (command?: CommandState) => void;

/** The requests that wait for the end of a command. */
export class CommandWaiters {
  /** By session and command. */
  readonly #waiting = new Map<string, Set<Settle>>();
  #count = 0;

  get size(): number {
    return this.#count;
  }

  /**
   * Resolves with the command once it has ended. Resolves with nothing after `timeoutMs`, when its session is deleted, and at once
   * when too many requests wait already.
   */
  wait(sessionId: string, commandId: string, timeoutMs: number): Promise<CommandState | undefined> {
    if (this.#count >= limits.commandWaiters) return Promise.resolve(undefined);
    this.#count++;
    const key = keyOf(sessionId, commandId);
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting);
      const settle: Settle = (command) => {
        clearTimeout(timer);
        // The end, the timeout and a deletion may call this one after the other; only the first counts.
        if (waiting.delete(settle)) this.#count--;
        if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
        resolve(command);
      };
      const timer = setTimeout(settle, timeoutMs);
      timer.unref();
      waiting.add(settle);
    });
  }

  /** The command has ended. */
  tell(sessionId: string, command: CommandState): void {
    const key = keyOf(sessionId, command.command_id);
    for (const settle of this.#waiting.get(key) ?? []) settle(command);
    this.#waiting.delete(key);
  }

  /** Ends every wait in a session that was deleted. */
  forget(sessionId: string): void {
    for (const [key, waiting] of this.#waiting) {
      if (key.startsWith(keyOf(sessionId, ''))) for (const settle of waiting) settle();
    }
  }

  /** Ends every wait. */
  close(): void {
    for (const waiting of this.#waiting.values()) for (const settle of waiting) settle();
  }
}

function keyOf(sessionId: string, id: string): string {
  return `${sessionId}\n${id}`;
}
