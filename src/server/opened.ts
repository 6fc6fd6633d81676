import { closeAll } from './close-all.ts';

/** The parts that were opened so far, so that all of them can be closed, also when a later part fails to open. */
export class Opened {
  readonly #closers: (() => unknown)[] = [];

  /** Keeps a part that was just opened, and how to close it. */
  keep<Part>(part: Part, close: (part: Part) => unknown): Part {
    this.#closers.push(() => close(part));
    return part;
  }

  /** Closes every part, the last one first, each whether or not the others could be closed. @throws the first failure */
  close(): Promise<void> {
    return closeAll(this.#closers.splice(0).toReversed());
  }
}
