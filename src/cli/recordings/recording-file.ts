import { accessSync, constants, createReadStream, existsSync, statSync } from 'node:fs';
import { readRecordings, type RecordingLine } from '../../core/recording/read-recordings.ts';
import { recordingSuffix } from '../../core/recording/recording.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { safeLine } from '../../core/text/safe-text.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { systemReason } from '../terminal/system-reason.ts';

/** Stands for the standard input. */
export const standardInput = '-';

/** Whether an argument names a file: a path, or a recording that is there. */
export function isRecording(named: string): boolean {
  return named.includes('/') || named.includes('\\') || (named.endsWith(recordingSuffix) && existsSync(named));
}

/** What a file is called where a fault of it is told. */
export function shownName(file: string): string {
  return file === standardInput ? 'the standard input' : safeLine(file, 300);
}

/** The bytes of a file; undefined where nobody knows, as of a pipe. @throws Failure it cannot be read, or no file */
export function sizeOf(file: string): number | undefined {
  if (file === standardInput) return undefined;
  try {
    accessSync(file, constants.R_OK);
    const stats = statSync(file);
    return stats.isFile() ? stats.size : undefined;
  } catch (error) {
    throw cannotBeRead(file, error);
  }
}

/** The bytes of a file, or of the standard input. @throws Failure it cannot be read */
export async function* bytesOf(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* (file === standardInput ? process.stdin : createReadStream(file)) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw cannotBeRead(file, error);
  }
}

function cannotBeRead(file: string, cause: unknown): Failure {
  return new Failure('NOT_FOUND', `${shownName(file)} cannot be read: ${systemReason(cause)}`, { cause });
}

/** The lines of a file of recordings. @throws Failure it cannot be read, or is none: see `readRecordings` */
export async function* recordingLines(file: string): AsyncGenerator<RecordingLine> {
  try {
    yield* readRecordings(bytesOf(file), shownName(file));
  } catch (error) {
    throw asRefused(error);
  }
}

/** A file that is at fault is no wrong usage of the program. */
export function asRefused(error: unknown): unknown {
  if (!(error instanceof ShannonDashError) || error instanceof Failure || error.code !== 'INVALID') return error;
  return new Failure('INVALID', error.message, { exitCode: exitCodes.refused, cause: error });
}
