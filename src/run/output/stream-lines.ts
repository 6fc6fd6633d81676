import { isAscii } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';
import { cutText } from '../../core/text/cut-text.ts';
import { LineRedaction } from '../../core/text/line-redaction.ts';
import type { Redaction } from '../../core/text/redaction.ts';

/** The most characters kept of one line, and the most bytes that it may take in an event. A longer line is cut and the rest is counted. */
const lineChars = 256 * 1024;
const lineBytes = 512 * 1024;
/** A line of up to this many characters fits in an event, however its characters are escaped. */
export const shortChars = lineBytes / 6;
/** What one batch has of lines and of characters. */
export const batchLines = 500;
export const batchChars = 64 * 1024;
/** How many of the newest raw bytes stay when there are more than may wait. */
const keptUnreadBytes = 2 * batchChars;

/** The kept part of a line, and how many characters were cut from it. */
export interface Line {
  text: string;
  cutChars: number;
}

/** What waits of one stream to be told. */
export interface StreamLines {
  /** Raw bytes that arrived while no batch can be sent. Dropping raw bytes is cheap, while splitting them into lines is expensive. */
  unread: Buffer[];
  unreadBytes: number;
  decoder: StringDecoder;
  /** Absent where nothing is redacted. */
  redaction: LineRedaction | undefined;
  /** The unfinished line, as a terminal would show it. Text that a carriage return overwrote (a progress bar) is removed. */
  rest: Line;
  /** Whether the last character was a carriage return. It overwrites the line only if something other than a line end follows. */
  endsInReturn: boolean;
  restSince: number;
  lines: string[];
  chars: number;
  cutChars: number;
  letGo: number;
}

export function newStream(redaction: Redaction | undefined): StreamLines {
  return {
    redaction: redaction && new LineRedaction(redaction),
    unread: [],
    unreadBytes: 0,
    decoder: new StringDecoder('utf8'),
    rest: { text: '', cutChars: 0 },
    endsInReturn: false,
    restSince: 0,
    lines: [],
    chars: 0,
    cutChars: 0,
    letGo: 0,
  };
}

/** Whether it has a batch. */
export function isFull({ lines, chars }: StreamLines): boolean {
  return lines.length >= batchLines || chars >= batchChars;
}

/** Drops the oldest unread bytes and all lines before them, and counts the dropped lines. */
export function dropOldUnread(stream: StreamLines): void {
  stream.letGo += stream.lines.length;
  stream.lines = [];
  stream.chars = 0;
  while (stream.unreadBytes > keptUnreadBytes) {
    const bytes = stream.unread.shift();
    if (bytes === undefined) return;
    stream.unreadBytes -= bytes.length;
    const end = bytes.lastIndexOf(lineFeed) + 1;
    if (end > 0) {
      stream.letGo += countLineFeeds(bytes, end);
      stream.redaction?.skip(stream.rest.text);
      skip(stream, bytes.subarray(0, end));
      stream.decoder = new StringDecoder('utf8');
      stream.rest = { text: '', cutChars: 0 };
      stream.endsInReturn = false;
    }
    const rest = bytes.subarray(end);
    if (continuesCutLine(stream, rest)) {
      stream.rest.cutChars += rest.length;
      skip(stream, rest);
    } else addToRest(stream, stream.decoder.write(rest));
  }
}

/** Looks for a private key in bytes that nobody is told of. All of the output that comes too fast passes here. */
export function skip({ redaction }: StreamLines, bytes: Buffer): void {
  if (redaction === undefined) return;
  redaction.skip(bytes.toString('latin1', 0, markerBytes));
  if (bytes.length <= markerBytes) return;
  if (bytes.includes('PRIVATE KEY')) redaction.skip(bytes.toString('latin1', markerBytes));
  else redaction.skip(bytes.toString('latin1', Math.max(markerBytes, bytes.length - markerBytes)));
}

const markerBytes = 160;
const lineFeed = 10;
const carriageReturn = 13;

/** Counts four bytes at a time, because every byte of the output passes here (H. S. Warren, Hacker's Delight, 6-1: zero bytes). */
function countLineFeeds(bytes: Buffer, end: number): number {
  let count = 0;
  let at = 0;
  for (; at < end && (bytes.byteOffset + at) % 4 !== 0; at++) if (bytes[at] === lineFeed) count++;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + at, (end - at) >> 2);
  for (const word of words) {
    const different = word ^ 0x0a0a0a0a;
    const zeros = ~(((different & 0x7f7f7f7f) + 0x7f7f7f7f) | different | 0x7f7f7f7f);
    count += Math.imul(zeros >>> 7, 0x01010101) >>> 24;
  }
  for (at += words.length * 4; at < end; at++) if (bytes[at] === lineFeed) count++;
  return count;
}

/** Whether the bytes only continue a line that is already cut. They are ASCII then, so each byte counts as one character. */
export function continuesCutLine({ rest, endsInReturn }: StreamLines, bytes: Buffer): boolean {
  return rest.cutChars > 0 && !endsInReturn && isAscii(bytes) && !bytes.includes(lineFeed) && !bytes.includes(carriageReturn);
}

/** Drops all but one batch of the newest lines. */
export function dropOldLines(stream: StreamLines): void {
  let chars = 0;
  let from = stream.lines.length;
  while (from > 0 && stream.lines.length - from < batchLines && chars < batchChars) chars += stream.lines[--from]?.length ?? 0;
  stream.letGo += from;
  stream.lines = stream.lines.slice(from);
  stream.chars = chars;
}

/** Adds to the unfinished line. The result does not depend on how the pieces were split. @returns whether the line was overwritten */
export function addToRest(stream: StreamLines, piece: string): boolean {
  if (piece === '') return false;
  let text = stream.endsInReturn ? `\r${piece}` : piece;
  stream.endsInReturn = text.endsWith('\r');
  if (stream.endsInReturn) text = text.slice(0, -1);
  const overwritten = text.lastIndexOf('\r');
  if (overwritten !== -1) {
    stream.redaction?.overwritten();
    stream.rest = { text: '', cutChars: 0 };
    text = text.slice(overwritten + 1);
  }
  const { rest } = stream;
  // After a cut nothing more is added, even if a shorter piece would fit.
  const kept = rest.cutChars > 0 ? '' : cutText(text, lineChars - rest.text.length);
  const before = rest.text.length;
  rest.text += kept;
  rest.cutChars += text.length - kept.length;
  if (kept.length < text.length) stream.redaction?.skip(text.slice(kept.length));
  const erased = erasedChars(rest.text, before);
  if (erased > 0) {
    stream.redaction?.overwritten();
    rest.text = rest.text.slice(erased);
  }
  return overwritten !== -1 || erased > 0;
}

/** Whether a line may have parts that a terminal shows no more: it needs `addToRest`. */
export function mayOverwrite(line: string): boolean {
  return line.includes('\r') || (line.includes('\x1b[') && erasedChars(line, 0) > 0);
}

/** How much of a line a terminal shows no more: up to where the cursor last went to its first column, or it was erased. */
function erasedChars(text: string, knownChars: number): number {
  if (!text.includes('\x1b[', Math.max(0, knownChars - longestErasing))) return 0;
  erasing.lastIndex = Math.max(0, knownChars - longestErasing);
  let end = 0;
  for (let match = erasing.exec(text); match !== null; match = erasing.exec(text)) end = erasing.lastIndex;
  // There is nothing behind the cursor that this could erase.
  const atStart = /^\x1b\[0?K/.exec(text.slice(end, end + longestErasing)); // oxlint-disable-line no-control-regex
  return end + (atStart?.[0].length ?? 0);
}

/** The cursor to the first column of its line; the whole line erased. As progress bars and spinners write it. */
const erasing = /\x1b\[(?:[01]?G|2K)/g; // oxlint-disable-line no-control-regex
const longestErasing = 4;

/** Cuts a line so that it fits in an event. A control character takes six bytes there. */
export function fitted(line: Line): Line {
  if (line.text.length <= shortChars || Buffer.byteLength(JSON.stringify(line.text)) <= lineBytes) return line;
  const text = cutText(line.text, Math.floor(shortChars));
  return { text, cutChars: line.cutChars + line.text.length - text.length };
}
