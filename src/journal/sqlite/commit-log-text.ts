import { crc32 } from 'node:zlib';

/** Whose log it is, and where the database stood when it was begun. */
export interface LogHeader {
  /** The journal's epoch. */
  journal: string;
  /** The last commit that the database had. */
  commits: number;
  /** The server that has the journal open. */
  pid: number;
  url?: string | undefined;
}

/** A whole commit. Those of the first version have no number. */
interface LoggedCommit {
  number: number | undefined;
  lines: string[];
  /** Stretches before it that were commits once. */
  damagedBefore: number;
}

/** What a log says. */
export interface LogContent {
  header: LogHeader | undefined;
  commits: LoggedCommit[];
  /** Stretches behind the last whole commit that were commits once. */
  damagedAtEnd: number;
  /** Bytes through the last commit; what is behind that was being written at a sudden end, and acknowledged to nobody. */
  bytes: number;
  /** It is the log of a journal, or empty. */
  isLog: boolean;
}

const headerStart = '#shannon-dash ';
/** What the first line of a log without a header begins with: an event. */
const eventStart = '{"session_id":"';
const lineFeed = 0x0a;
const hash = 0x23;

/** The first line of a log. */
export function headerText(header: LogHeader): string {
  const json = JSON.stringify(header);
  return `${headerStart}${crc32(json).toString(16)} ${json}\n`;
}

/** A commit: the JSON of its events, one a line, closed by a line with checksum and number. JSON of an event never begins like that. */
export function commitBytes(lines: readonly string[], number: number): Buffer {
  const text = Buffer.from(`${lines.join('\n')}\n`);
  return Buffer.concat([text, Buffer.from(`#${checksum(text, number)} ${number}\n`)]);
}

function checksum(text: Buffer, number: number | undefined): string {
  const sum = crc32(text);
  return (number === undefined ? sum : crc32(String(number), sum)).toString(16);
}

/** Reads a log: every commit whose checksum is right, and what was damaged between them. */
export function readLog(log: Buffer): LogContent {
  const { header, start: begin } = readHeader(log);
  const content: LogContent = { header, commits: [], damagedAtEnd: 0, bytes: begin, isLog: isLog(log, header) };
  let start = begin;
  for (let line = begin; ;) {
    const end = log.indexOf(lineFeed, line);
    if (end === -1) break;
    if (log[line] === hash) {
      const commit = readCommit(log.subarray(start, line), log.toString('latin1', line, end));
      if (commit === undefined) content.damagedAtEnd++;
      else content.commits.push({ ...commit, damagedBefore: content.damagedAtEnd });
      if (commit !== undefined) content.damagedAtEnd = 0;
      start = content.bytes = end + 1;
    }
    line = end + 1;
  }
  return content;
}

function readCommit(text: Buffer, mark: string): Pick<LoggedCommit, 'number' | 'lines'> | undefined {
  const [, sum, digits] = /^#([0-9a-f]{1,8})(?: (\d{1,15}))?$/.exec(mark) ?? [];
  const number = digits === undefined ? undefined : Number(digits);
  if (sum === undefined || checksum(text, number) !== sum) return undefined;
  return { number, lines: text.toString().split('\n').slice(0, -1) };
}

function readHeader(log: Buffer): { header: LogHeader | undefined; start: number } {
  const end = log.indexOf(lineFeed);
  if (end === -1 || log.toString('latin1', 0, headerStart.length) !== headerStart) return { header: undefined, start: 0 };
  const [, sum, json = ''] = /^([0-9a-f]{1,8}) (.*)$/.exec(log.toString('utf8', headerStart.length, end)) ?? [];
  const header = crc32(json).toString(16) === sum ? (JSON.parse(json) as LogHeader) : undefined;
  return { header, start: end + 1 };
}

/** Whether a file that is not empty begins as a log does, wherever writing it was cut off. */
function isLog(log: Buffer, header: LogHeader | undefined): boolean {
  if (header !== undefined) return true;
  return [headerStart, eventStart].some((start) => {
    const head = log.toString('latin1', 0, start.length);
    return head.startsWith(start) || start.startsWith(head);
  });
}
