import { z } from 'zod';
import { sessionId } from '../ids.ts';
import { openObject } from '../json/open-object.ts';
import { eventType } from '../protocol/event.ts';
import { limits } from '../protocol/limits.ts';
import type { SessionState } from '../protocol/session-state.ts';
import { anyObject, boundedText, text } from '../text/text.ts';
import { readTimestamp } from '../timestamp.ts';

/** The version of the format that this program writes, and the newest that it reads. */
export const recordingFormat = 1;

/** A file with a name like this is a recording. */
export const recordingSuffix = '.ndjson';

/** A place in a history; no journal has larger ones. */
const seq = z.int('must be a whole number').max(2 ** 32 - 2, 'must be less than 2^32');
const name = boundedText(limits.idChars);
const time = text.refine((value) => readTimestamp(value) === value, 'must be a time such as 2026-01-02T03:04:05.000Z');

/**
 * The first line of a recording. The lines after it are the session's events as the wire carries them, `seq` 1, 2, 3 ... to that of
 * the header. A file may hold several recordings, one after the other.
 */
export const recordingHeader = openObject({
  recording: z.int('must be a whole number').min(1, 'must be at least 1'),
  session_id: sessionId,
  /** The id of the history. */
  epoch: text.regex(/^[\w.~-]{1,128}$/, 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ -'),
  /** That of the last event: so many lines follow. */
  seq: seq.nonnegative('must not be negative'),
  /** What the session was before its first event. */
  origin: openObject({ created_at: time, skills: z.array(boundedText(limits.idChars)), metadata: anyObject }),
  /** Of the program that wrote it. */
  versions: openObject({ shannon_dash: name }),
});

export interface RecordingHeader extends z.output<typeof recordingHeader> {}

/**
 * The header of a recording.
 * @param begin the session before its first event. @param seq the last event. @param version of the program that writes it
 */
export function headerOf(begin: SessionState & { epoch: string }, seq: number, version: string): RecordingHeader {
  const { session_id, epoch, created_at, planned_skills: skills, metadata } = begin;
  return {
    recording: recordingFormat,
    session_id,
    epoch,
    seq,
    origin: { created_at, skills, metadata },
    versions: { shannon_dash: version },
  };
}

/** One event of a recording. Whoever wrote the file may be a stranger: it is looked at as closely as what a producer sends. */
export const recordedEvent = openObject({
  session_id: sessionId,
  seq: seq.min(1, 'must be at least 1'),
  /** Those that the server makes of others are longer than a producer's. */
  id: text.min(1, 'must not be empty').max(limits.idChars * 4, `must be at most ${limits.idChars * 4} characters`),
  type: eventType,
  timestamp: time,
  data: anyObject,
  received_at: time.optional(),
  source: boundedText(limits.idChars * 4).optional(),
});
