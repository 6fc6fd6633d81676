import { crc32 } from 'node:zlib';
import { lostEventType } from '../../../core/event-filter.ts';
import type { JournalEvent, SessionHead } from '../../journal.ts';
import { eventFromJson } from '../../stamping.ts';

/** A chunk lies at the place of its first event: the upper bits are the session's key, the lower 32 the `seq`. */
export const placesPerSession = 2 ** 32;
/** Characters of JSON in one chunk; a single event may be larger. */
const chunkChars = 64 * 1_024;

/** Some events that follow each other in a session, as the database has them. */
export interface ChunkRow {
  place: number;
  /** The JSON of each, one a line. */
  json: string;
  /** `checksumOf` it; null in one of a version that made none. */
  sum: number | null;
}

export function placeOf(key: number, seq: number): number {
  return key * placesPerSession + seq;
}

export function firstSeqOf({ place }: ChunkRow): number {
  return place % placesPerSession;
}

/** Of the text and of where it belongs. */
export function checksumOf(place: number, json: string): number {
  return crc32(json, crc32(String(place)));
}

/** Divides lines among chunks. */
export function* chunksOf(lines: readonly string[]): Generator<string[]> {
  let chunk: string[] = [];
  let chars = 0;
  for (const line of lines) {
    if (chunk.length > 0 && chars + line.length > chunkChars) {
      yield chunk;
      chunk = [];
      chars = 0;
    }
    chunk.push(line);
    chars += line.length;
  }
  if (chunk.length > 0) yield chunk;
}

/** The JSON of each event in a chunk; undefined if it is not what was written. */
export function linesOf({ place, json, sum }: ChunkRow): string[] | undefined {
  const lines = json.split('\n');
  if (sum !== null) return checksumOf(place, json) === sum ? lines : undefined;
  return lines.every(isJson) ? lines : undefined;
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/**
 * Stands in the place of an event that cannot be read any more: a history has no hole that a reader would take for one
 * of its own. Each filter lets it pass.
 */
export function lostEvent({ session_id, epoch, created_at }: SessionHead, seq: number): JournalEvent {
  const data = { reason: 'the journal was damaged: what happened here cannot be read' };
  // `eventFromJson` relies on this order.
  const event = { session_id, seq, id: `lost:${epoch}:${seq}`, type: lostEventType, timestamp: created_at, data, source: 'server' };
  return eventFromJson(session_id, seq, JSON.stringify(event));
}
