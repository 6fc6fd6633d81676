import type { Delivery } from '../sessions/watching/delivery.ts';
import type { Watcher } from '../sessions/watching/watcher.ts';

/** What changes how a hook is answered: the gate, a decision, the end of the run. */
const heardTypes =
  /^(?:execution:(?:halting|halted|resumed|completed|failed|started)|decision:made|command:(?:failed|expired|applied|rejected))$/;

/** Whether an event of this type is to be heard. */
export function isHeard(type: string): boolean {
  return heardTypes.test(type);
}

/** Hears that something has happened in a session; what it is, the state says. */
export class JournalEar implements Watcher {
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  deliver(delivery: Delivery): void {
    if (delivery.events.some(({ type }) => isHeard(type))) this.#onChange();
  }

  async replay(): Promise<boolean> {
    return true;
  }

  tell(): void {
    this.#onChange();
  }

  async tellPaced(): Promise<boolean> {
    return true;
  }

  async drained(): Promise<void> {}

  /** Nothing is sent to it that it could be slow to take. */
  cut(): void {}
}
