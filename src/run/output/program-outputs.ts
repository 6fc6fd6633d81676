import { closeSync, fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import { openOutputPipes } from './output-pipes.ts';
import { OutputPassage } from './output-passage.ts';
import type { PseudoTerminal } from '../program/pseudo-terminal.ts';

/** Called with every piece of output. A terminal has only one stream for both outputs. */
export type OnOutput = (stream: 'stdout' | 'stderr', bytes: Buffer) => void;

/** Where a program's output goes. A stream that would be a terminal without `run` is a pseudo-terminal; the others are pipes. */
export interface ProgramOutputs {
  /** Those of the file descriptors 1 and 2 that refer to the pseudo-terminal. */
  readonly onTerminal: readonly number[];
  /** The `stdio` of `spawn` for the file descriptors 1 and 2. */
  readonly stdio: readonly [number | 'ignore' | 'pipe', number | 'ignore' | 'pipe'];
  /** Call it when the program has started. This process then closes its copies of the writing ends, so that it sees when the program
   * closes its own, and begins to relay. */
  handedOver(streams: readonly [NodeJS.ReadableStream | null, NodeJS.ReadableStream | null]): void;
  /** Call it when the program could not be started. */
  abandon(): void;
  /** Call it when the program has ended. Resolves when everything that it wrote was relayed. @returns outputs that are still open */
  finish(): Promise<OutputPassage[]>;
}

/**
 * When both outputs of this process are the same file, as with `2>&1`, the program gets one pipe for both. Two pipes would lose the
 * order between them.
 * @param terminal used for the outputs that are a terminal; undefined: they become pipes
 */
export async function openProgramOutputs(terminal: PseudoTerminal | undefined, onOutput: OnOutput): Promise<ProgramOutputs> {
  const onTerminal = terminal === undefined ? [] : [1, 2].filter((descriptor) => isatty(descriptor));
  const piped = [1, 2].filter((descriptor) => !onTerminal.includes(descriptor));
  const isJoint = piped.length === 2 && isSameFile(1, 2);
  const pipes = piped.length === 0 ? [] : await openOutputPipes(isJoint ? 1 : piped.length);
  const pipeOf = (descriptor: number) => pipes?.[isJoint ? 0 : piped.indexOf(descriptor)];
  const given = (descriptor: number) => (onTerminal.includes(descriptor) ? 'ignore' : (pipeOf(descriptor)?.writer ?? 'pipe'));
  const passages: OutputPassage[] = [];
  const pass = (descriptor: number, from: OutputPassage['from'], reader: number, shown?: (bytes: Buffer) => Buffer) => {
    const stream = descriptor === 1 ? 'stdout' : 'stderr';
    passages.push(new OutputPassage({ stream, from, descriptor: reader }, (bytes) => onOutput(stream, bytes), shown));
  };
  return {
    onTerminal,
    stdio: [given(1), given(2)],
    handedOver(streams) {
      const [first] = onTerminal;
      if (terminal !== undefined && first !== undefined) {
        pass(first, terminal.stream, terminal.descriptor, (bytes) => terminal.shown(bytes));
      }
      for (const { writer } of pipes ?? []) closeSync(writer);
      for (const descriptor of isJoint && pipes !== undefined ? [1] : piped) {
        const pipe = pipeOf(descriptor);
        const from = pipe?.from ?? streams[descriptor - 1];
        if (from !== null && from !== undefined) pass(descriptor, from as OutputPassage['from'], pipe?.reader ?? -1);
      }
    },
    abandon() {
      for (const { writer, from } of pipes ?? []) {
        closeSync(writer);
        from.destroy();
      }
      terminal?.stream.destroy();
    },
    async finish() {
      await Promise.all(passages.map((passage) => passage.finish()));
      return passages.filter((passage) => passage.isOpen);
    },
  };
}

function isSameFile(one: number, other: number): boolean {
  try {
    const [a, b] = [fstatSync(one), fstatSync(other)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}
