import type { z } from 'zod';
import { parseJson } from '../json/exact-json.ts';
import { jsonText } from '../json/json.ts';
import { parse } from '../json/parse.ts';
import { ShannonDashError } from '../protocol/errors.ts';
import type { SessionEvent } from '../protocol/event.ts';
import { limits } from '../protocol/limits.ts';
import { recordedEvent, recordingFormat, recordingHeader, type RecordingHeader } from './recording.ts';

/** A line of a recording, and its length in characters. */
export type RecordingLine = { header: RecordingHeader; event?: SessionEvent | undefined; chars: number };

/**
 * Reads recordings, one line in memory at a time. Each line is checked; what stands before a fault is given first.
 * @param bytes UTF-8
 * @param name what a fault says of where it is, as `build.ndjson`
 * @throws ShannonDashError INVALID it is no recording, by the number of the first line at fault; or it ends early
 */
export async function* readRecordings(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<RecordingLine> {
  let header: RecordingHeader | undefined;
  let seq = 0;
  let number = 0;
  for await (const line of linesOf(bytes, name)) {
    number++;
    if (line === '') continue;
    const where = `${name}, line ${number}`;
    const value = valueOf(line, where);
    if (header === undefined || seq === header.seq) {
      header = headerOf(value, where);
      seq = 0;
      yield { header, chars: line.length };
      continue;
    }
    const event: SessionEvent = checked(recordedEvent, value, where);
    if (event.session_id !== header.session_id)
      throw fault(`${where}: session_id must be ${header.session_id}, as the header of its recording says`);
    if (event.seq !== seq + 1) throw fault(`${where}: seq must be ${seq + 1}, as a history has no gap`);
    seq = event.seq;
    yield { header, event, chars: line.length };
  }
  if (header === undefined) throw fault(`${name} is empty`);
  if (seq < header.seq) throw fault(`${name} ends early: it has ${seq} of the ${header.seq} events of ${header.session_id}`);
}

function headerOf(value: unknown, where: string): RecordingHeader {
  const format = (value as { recording?: unknown } | null)?.recording;
  if (format === undefined) throw fault(`${where} must be the header of a recording; make one: shannon-dash export SESSION > run.ndjson`);
  if (typeof format === 'number' && format > recordingFormat)
    throw fault(`${where}: a newer version has made this recording (format ${format}); update shannon-dash`);
  return checked(recordingHeader, value, where);
}

function valueOf(line: string, where: string): unknown {
  try {
    const value = parseJson(line);
    // What is nested too deep could be read, and could end the program where it is shown.
    jsonText(value, 'the line');
    return value;
  } catch (error) {
    throw fault(`${where}: ${error instanceof ShannonDashError ? error.message : `no JSON: ${(error as Error).message}`}`);
  }
}

function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.output<Schema> {
  try {
    return parse(schema, value);
  } catch (error) {
    throw error instanceof ShannonDashError ? fault(`${where}: ${error.message}`) : error;
  }
}

/** Lines, none longer than a request of the wire. */
async function* linesOf(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  const text = (chunk?: Uint8Array) => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw fault(`${name} is not UTF-8`);
    }
  };
  for await (const chunk of bytes) {
    const lines = text(chunk).split('\n');
    lines[0] = rest + (lines[0] ?? '');
    rest = lines.pop() ?? '';
    if (rest.length > limits.requestBytes) throw fault(`${name}: a line is longer than ${limits.requestBytes} characters`);
    yield* lines;
  }
  rest += text();
  if (rest !== '') yield rest;
}

function fault(sentence: string): ShannonDashError {
  return new ShannonDashError('INVALID', sentence);
}
