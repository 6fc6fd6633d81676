import { randomBytes } from 'node:crypto';
import { ShannonDashError } from '../core/protocol/errors.ts';
import type { SessionEvent } from '../core/protocol/event.ts';
import { anyJsonText, jsonText, mayHoldHalfCharacters, wellFormed } from '../core/json/json.ts';
import { limits } from '../core/protocol/limits.ts';
import { JournalEvent, type NewEvent } from './journal.ts';

/** What the journal has under an id. */
export type FindById = (id: string) => JournalEvent | undefined;

/** An append turned into journal events. */
export interface Stamped {
  fresh: JournalEvent[];
  /** Those of them whose producer gave an id, if any. */
  freshById: ReadonlyMap<string, JournalEvent> | undefined;
  /** Where each of the given events stands. */
  seqs: number[];
}

/**
 * Asked where a session is added, after whatever was waiting before it: so many are never passed.
 * @throws ShannonDashError LIMIT_REACHED
 */
export function checkRoomForSession(sessions: number): void {
  if (sessions >= limits.sessions) throw tooManySessions();
}

export function tooManySessions(): ShannonDashError {
  const sentence = `There are ${limits.sessions} sessions; delete one first: DELETE /api/sessions/{id}`;
  return new ShannonDashError('LIMIT_REACHED', sentence, undefined, { limit: 'sessions' });
}

export function sessionExists(sessionId: string): ShannonDashError {
  return new ShannonDashError('CONFLICT', `Session ${sessionId} exists already`);
}

/** A new history's random id. Short, for it is part of every id that the journal makes. */
export function newEpoch(): string {
  return randomBytes(9).toString('base64url');
}

/** The id of an event whose producer gave none. It says its own place, so that finding it needs no index. */
function serverMadeId(epoch: string, seq: number): string {
  return `${epoch}:${seq}`;
}

/** The `seq` in an id made by `serverMadeId` for this epoch; undefined for any other id. */
export function seqOfServerMadeId(epoch: string, id: string): number | undefined {
  if (!id.startsWith(`${epoch}:`)) return undefined;
  const digits = id.slice(epoch.length + 1);
  return /^[1-9]\d{0,15}$/.test(digits) ? Number(digits) : undefined;
}

/**
 * Gives each event its `seq`, dropping those whose id is known, from the journal or from earlier in the same append.
 * @throws ShannonDashError CONFLICT a known id with another type or other data; TOO_LARGE; INVALID no JSON, nested too deep, half a character
 */
export function stamp(head: { session_id: string; epoch: string; seq: number }, events: readonly NewEvent[], findById: FindById): Stamped {
  const fresh: JournalEvent[] = [];
  const seqs: number[] = [];
  let freshById: Map<string, JournalEvent> | undefined;
  for (const [index, event] of events.entries()) {
    const { id } = event;
    const known = id === undefined || event.isIdNew === true ? undefined : (freshById?.get(id) ?? findById(id));
    if (known !== undefined) {
      if (!isSameContent(known, event, `events[${index}]`)) {
        throw new ShannonDashError('CONFLICT', `Event ${event.id} is journalled already (seq ${known.seq}) with other content`, {
          seq: known.seq,
        });
      }
      seqs.push(known.seq);
      continue;
    }
    if (event.id !== undefined && seqOfServerMadeId(head.epoch, event.id) !== undefined) {
      // Taken before its time, the journal would give it to a second event.
      throw new ShannonDashError('INVALID', `events[${index}].id: ${event.id} is an id that only the journal gives`);
    }
    const seq = head.seq + fresh.length + 1;
    // `eventFromJson` relies on this order.
    const stamped: SessionEvent = {
      session_id: head.session_id,
      seq,
      id: event.id ?? serverMadeId(head.epoch, seq),
      type: event.type,
      timestamp: event.timestamp,
      data: event.data,
    };
    if (event.received_at !== undefined) stamped.received_at = event.received_at;
    if (event.source !== undefined) stamped.source = event.source;
    let json = event.mendsTexts === true ? anyJsonText(stamped, `events[${index}]`) : jsonText(stamped, `events[${index}]`);
    if (event.mendsTexts === true && mayHoldHalfCharacters(json)) {
      stamped.data = wellFormed(event.data) as Record<string, unknown>;
      json = jsonText(stamped, `events[${index}]`);
    }
    // No character takes more than three bytes in UTF-8 for each of its UTF-16 units.
    if (json.length > limits.eventBytes / 3 && Buffer.byteLength(json) > limits.eventBytes) {
      throw new ShannonDashError('TOO_LARGE', `events[${index}]: an event must be at most ${limits.eventBytes} bytes`);
    }
    const journalled = new JournalEvent(head.session_id, seq, event.type, json, stamped);
    fresh.push(journalled);
    if (event.id !== undefined) (freshById ??= new Map()).set(event.id, journalled);
    seqs.push(seq);
  }
  return { fresh, freshById, seqs };
}

/**
 * Gives the next events of a session that is imported, which keep their `seq`, id, source and times.
 * @throws ShannonDashError INVALID they do not follow, or two have the same id; TOO_LARGE
 */
export function stampImported(head: { session_id: string; epoch: string; seq: number }, events: readonly SessionEvent[]): Stamped {
  const ids = new Set<string>();
  const given = events.map(({ id, seq, type, data, timestamp, source, received_at }, index): NewEvent => {
    const next = head.seq + index + 1;
    if (seq !== next) throw new ShannonDashError('INVALID', `events[${index}].seq: must be ${next}, as a history has no gap`);
    if (ids.has(id)) throw sameId(index);
    ids.add(id);
    // An id that says its own place is in no index.
    const kept = id === serverMadeId(head.epoch, seq) ? undefined : id;
    return { id: kept, isIdNew: true, type, data, timestamp, source, received_at };
  });
  return stamp(head, given, () => undefined);
}

/** An event of an import has the id of an earlier one. @param index its place among those that were given */
export function sameId(index: number): ShannonDashError {
  return new ShannonDashError('INVALID', `events[${index}].id: an event before it has the same id`);
}

export function importEnded(): ShannonDashError {
  return new ShannonDashError('CONFLICT', 'This import has ended');
}

/** @throws ShannonDashError CONFLICT */
export function checkTakesEvents({ session_id, imported }: { session_id: string; imported?: unknown }): void {
  if (imported !== undefined) throw takesNoEvents(session_id);
}

export function takesNoEvents(sessionId: string): ShannonDashError {
  return new ShannonDashError('CONFLICT', `${sessionId} is imported: it stays as it was recorded, and takes no events and no commands`);
}

/** An event from the JSON that `stamp` gave it. No quote stands bare within an id, so this is where its type begins. */
export function eventFromJson(sessionId: string, seq: number, json: string): JournalEvent {
  const start = json.indexOf(beforeType) + beforeType.length;
  return new JournalEvent(sessionId, seq, json.slice(start, json.indexOf('"', start)), json);
}

const beforeType = '","type":"';
const beforeTimestamp = '","timestamp":"';
const beforeReceivedAt = ',"received_at":"';
/** The end of an event that has `received_at`. Behind one in its data stands another brace. */
const receivedAtEnd = /^([^"\\]*)"(?:,"source":"(?:[^"\\]|\\.)*")?\}$/;

/** The type of an event, and when it happened by the server's clock (`receivedAt`), read from its JSON without parsing that. */
export function typeAndTimeOf(json: string): { type: string; at: string } {
  const start = json.indexOf(beforeType) + beforeType.length;
  const end = json.indexOf('"', start);
  const type = json.slice(start, end);
  const received = json.lastIndexOf(beforeReceivedAt);
  const at = received === -1 ? undefined : receivedAtEnd.exec(json.slice(received + beforeReceivedAt.length))?.[1];
  const timestamp = end + beforeTimestamp.length;
  return { type, at: at ?? json.slice(timestamp, json.indexOf('"', timestamp)) };
}

function isSameContent(known: JournalEvent, event: NewEvent, at: string): boolean {
  if (known.type !== event.type) return false;
  jsonText(event.data, at);
  return canonicalJson(known.event.data) === canonicalJson(event.data);
}

/** JSON with sorted keys: two objects of the same content give the same text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
