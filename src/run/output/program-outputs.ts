import { closeSync, fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import { openOutputPipes } from './output-pipes.ts';
import { OutputPassage } from './output-passage.ts';
import type { PseudoTerminal } from '../program/pseudo-terminal.ts';

/** Gets every piece of output. A terminal has one stream for both. */
export type OnOutput = (stream: 'stdout' | 'stderr', bytes: Buffer) => void;

/** Where a program's output goes, each stream as it is bare: a terminal is one, and the rest are pipes. */
export interface ProgramOutputs {
  /** Of the descriptors 1 and 2: what is on the terminal that we made. */
  readonly onTerminal: readonly number[];
  /** What to hand to Node for the descriptors 1 and 2. */
  readonly stdio: readonly [number | 'ignore' | 'pipe', number | 'ignore' | 'pipe'];
  /** The program has them: only then does its end become ours to see. Begins to pass on. */
  handedOver(streams: readonly [NodeJS.ReadableStream | null, NodeJS.ReadableStream | null]): void;
  /** The program was not started. */
  abandon(): void;
  /** The program has ended: resolves when all that it wrote was passed on. @returns what others may still write into */
  finish(): Promise<OutputPassage[]>;
}

/**
 * Where our own two outputs are one file, as with `2>&1`, the program gets one pipe for both: two would lose the order
 * between them.
 * @param terminal for the outputs that are a terminal; without one they become pipes
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
