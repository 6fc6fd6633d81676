import { execFile } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A pipe: the end that the program writes to, and the end that this process reads. */
export interface OutputPipe {
  readonly writer: number;
  readonly reader: number;
  readonly from: Socket;
}

/**
 * Opens real pipes. What Node calls `pipe` is a socket, which a program cannot open again as /dev/stdout.
 * Undefined when the system has no `mkfifo`, or no folder can be written to.
 */
export async function openOutputPipes(count: number): Promise<OutputPipe[] | undefined> {
  // The folder of TMPDIR may be missing, so other folders are tried as well.
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
      // Opening a FIFO waits for the other end, so the reader is opened first and without waiting.
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
