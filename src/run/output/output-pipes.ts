import { execFile } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A pipe that a program writes into: the end that it gets, and where we read. */
export interface OutputPipe {
  readonly writer: number;
  readonly reader: number;
  readonly from: Socket;
}

/**
 * Real pipes. What Node calls `pipe` is a socket, which a program cannot open again as /dev/stdout.
 * Undefined where the system has no `mkfifo`, or no folder to write in.
 */
export async function openOutputPipes(count: number): Promise<OutputPipe[] | undefined> {
  // Where TMPDIR is gone the program's outputs are pipes all the same.
  for (const parent of [tmpdir(), '/tmp', '/var/tmp', '/dev/shm']) {
    const pipes = await openPipesBelow(parent, count);
    if (pipes !== undefined) return pipes;
  }
  return undefined;
}

async function openPipesBelow(parent: string, count: number): Promise<OutputPipe[] | undefined> {
  const opened: number[] = [];
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(parent, 'shannon-dash-pipes-'));
    const paths = Array.from({ length: count }, (_, index) => join(folder ?? '', String(index)));
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths]);
    const ends = paths.map((path) => {
      // The reader first, and without waiting for a writer.
      const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      opened.push(reader);
      const writer = openSync(path, constants.O_WRONLY);
      opened.push(writer);
      return { reader, writer };
    });
    return ends.map(({ reader, writer }) => ({ reader, writer, from: new Socket({ fd: reader, readable: true, writable: false }) }));
  } catch {
    opened.forEach((descriptor) => closeSync(descriptor));
    return undefined;
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}
