import { execFile } from 'node:child_process';
import { closeSync, constants, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A program's output: what to hand to it as descriptors 1 and 2, and where we read what it writes. */
export interface OutputPipes {
  readonly stdio: readonly [number, number];
  readonly readers: readonly { stream: 'stdout' | 'stderr'; from: Socket }[];
  /** Closes the ends that are the program's, once it has them: only then does its end become ours to see. */
  handedOver(): void;
}

/**
 * Real pipes. What Node calls `pipe` is a socket, which a program cannot open again as /dev/stdout. Where our own two
 * outputs are one file, as with `2>&1`, the program gets one pipe for both: two would lose the order between them.
 * Undefined where the system has no `mkfifo`.
 */
export async function openOutputPipes(): Promise<OutputPipes | undefined> {
  const streams = isSameFile(1, 2) ? (['stdout'] as const) : (['stdout', 'stderr'] as const);
  const opened: number[] = [];
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(tmpdir(), 'shannon-dash-pipes-'));
    const paths = streams.map((stream) => join(folder ?? '', stream));
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths]);
    const ends = paths.map((path) => {
      // The reader first, and without waiting for a writer.
      const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const writer = openSync(path, constants.O_WRONLY);
      opened.push(reader, writer);
      return { reader, writer };
    });
    const [first = 1, second = first] = ends.map(({ writer }) => writer);
    return {
      stdio: [first, second],
      readers: ends.map(({ reader }, index) => ({
        stream: streams[index] ?? 'stdout',
        from: new Socket({ fd: reader, readable: true, writable: false }),
      })),
      handedOver: () => ends.forEach(({ writer }) => closeSync(writer)),
    };
  } catch {
    opened.forEach((descriptor) => closeSync(descriptor));
    return undefined;
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function isSameFile(one: number, other: number): boolean {
  try {
    const [a, b] = [fstatSync(one), fstatSync(other)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}
