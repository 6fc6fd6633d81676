import type { ShannonDashError } from '../../core/protocol/errors.ts';
import type { Reach } from '../connection/reach.ts';

interface Waiting {
  pass: () => void;
  fail: (error: unknown) => void;
}

/** Where a program stops while it is halted, or while no server can tell whether it is. */
export class Gate {
  readonly #reach: Reach;
  readonly #waiting = new Set<Waiting>();
  #isHalted = false;
  #end: ShannonDashError | undefined;

  constructor(reach: Reach) {
    this.#reach = reach;
    reach.changes.add(() => this.#look());
  }

  get isHalted(): boolean {
    return this.#isHalted;
  }

  halt(): void {
    this.#isHalted = true;
  }

  open(): void {
    this.#isHalted = false;
    this.#look();
  }

  /** Resolves at once while open. @throws the signal's reason; ShannonDashError why the gate is no more */
  pass(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (end: () => void) => {
        this.#waiting.delete(waiting);
        signal?.removeEventListener('abort', abort);
        end();
      };
      const waiting: Waiting = { pass: () => settle(resolve), fail: (error) => settle(() => reject(error)) };
      const abort = () => waiting.fail(signal?.reason);
      if (signal?.aborted === true) return abort();
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiting);
      this.#look();
    });
  }

  /** Fails every wait at the gate, now and later: it will not open any more. */
  end(error: ShannonDashError): void {
    this.#end = error;
    this.#look();
  }

  #look(): void {
    if (this.#end === undefined && (this.#isHalted || this.#reach.state === 'away')) return;
    for (const waiting of this.#waiting) {
      if (this.#end === undefined) waiting.pass();
      else waiting.fail(this.#end);
    }
  }
}
