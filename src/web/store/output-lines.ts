import { receivedAt, type SessionEvent } from '../../core/protocol/event.ts';
import { Lookback, type ReadPart } from './lookback.ts';

const outputType = 'process:output';

/** A line that the program of a session has written: as it wrote it, colours and all. */
export interface OutputLine {
  seq: number;
  atMs: number;
  isError: boolean;
  text: string;
}

/** What the program of a session has written. @param seq the newest event */
export function outputLines(seq: number, read: ReadPart, onNews: () => void): Lookback<OutputLine> {
  return new Lookback({ seq, types: outputType, linesOf, windowEvents: 5_000, enoughLines: 500, mostLines: 20_000, read, onNews });
}

function linesOf(event: SessionEvent): OutputLine[] {
  const { lines, stream } = event.data;
  if (event.type !== outputType || !Array.isArray(lines)) return [];
  const atMs = Date.parse(receivedAt(event));
  return lines.map((line) => ({ seq: event.seq, atMs, isError: stream === 'stderr', text: String(line) }));
}
