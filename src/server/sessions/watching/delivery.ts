import type { EventFilter } from '../../../core/event-filter.ts';
import type { JournalEvent } from '../../../journal/journal.ts';

/** A part of all sessions: the globs that name it, and whether a session is in it. */
export interface Scope {
  globs: readonly string[];
  reaches: (sessionId: string) => boolean;
}

/** Which encoding of a delivery a watcher takes. Watchers of one shape share the encoded bytes. */
export interface DeliveryShape {
  /** Names everything that makes the encoding differ: form, globs, sessions that it is about and those left out. */
  key: string;
  filter: EventFilter;
  /** The globs of the filter; undefined for every type. */
  globs?: readonly string[] | undefined;
  /** True: `events` with many at a time; false: each event under its own name. */
  batch: boolean;
  /** The sessions that a watcher of all sessions may see; undefined: all. The key names them, for encodings are shared. */
  scope?: Scope | undefined;
  /** Sessions that a watcher of all sessions has subscribed to by name as well: those reach it there. */
  except?: ReadonlySet<string> | undefined;
}

/** Socket.IO packets for one watcher, and the same as WebSocket frames in one piece. */
export interface EncodedDelivery {
  packets: string[];
  frames: Buffer;
  /** For how many clients it waits. */
  waiting: number;
  /** How many events it carries. */
  events: number;
  /** Called when the last client that it waits for has taken it. */
  onTaken: (() => void) | undefined;
}

/** What is counted of live deliveries. */
export interface DeliveryFigures {
  /** So many events go to one watcher. */
  sent: (events: number) => void;
  /** They were taken, so long after their commit. */
  delivered: (elapsedMs: number) => void;
}

/** Characters of JSON in one `events` packet; more are spread over several. */
const packetChars = 256 * 1024;

/** The events of one commit on their way to watchers. Each form is encoded once, however many take it. */
export class Delivery {
  readonly events: readonly JournalEvent[];
  readonly #encoded = new Map<string, EncodedDelivery | undefined>();

  /** Called when the last watcher of an encoding has taken it; undefined for what is not counted: the past. */
  readonly onTaken: (() => void) | undefined;
  readonly #figures: DeliveryFigures | undefined;

  /** @param figures counts it; for live events, which were committed just before */
  constructor(events: readonly JournalEvent[], figures?: DeliveryFigures) {
    this.events = events;
    this.#figures = figures;
    const committedAt = figures && performance.now();
    this.onTaken = committedAt === undefined ? undefined : () => figures?.delivered(performance.now() - committedAt);
  }

  /** The events that pass a filter, for a watcher that has an encoding of its own. */
  passing(filter: EventFilter): readonly JournalEvent[] {
    const events = this.events.filter(({ type }) => filter(type));
    this.#figures?.sent(events.length);
    return events;
  }

  /** The encoding for a shape; undefined when no event passes. */
  encoded(shape: DeliveryShape): EncodedDelivery | undefined {
    let encoded = this.#encoded.get(shape.key);
    if (encoded === undefined && !this.#encoded.has(shape.key)) this.#encoded.set(shape.key, (encoded = this.#encode(shape)));
    if (encoded !== undefined) this.#figures?.sent(encoded.events);
    return encoded;
  }

  #encode(shape: DeliveryShape): EncodedDelivery | undefined {
    const { filter, except, scope } = shape;
    const events = this.events.filter(
      ({ type, session_id }) => filter(type) && except?.has(session_id) !== true && scope?.reaches(session_id) !== false,
    );
    if (events.length === 0) return undefined;
    return { ...encode(shape.batch ? batchPackets(events) : events.map(namedPacket)), events: events.length, onTaken: this.onTaken };
  }
}

/** The Socket.IO packet (protocol v5: type 2, event) of one event under its own name. Only checked types get here. */
function namedPacket(event: JournalEvent): string {
  return `2["${event.type}",${event.json}]`;
}

/** A message that is no event of a session. */
export function encodedMessage(name: string, payload: object): EncodedDelivery {
  return encode([`2["${name}",${JSON.stringify(payload)}]`]);
}

function batchPackets(events: readonly JournalEvent[]): string[] {
  const packets: string[] = [];
  let session = '';
  let chars = 0;
  let parts: string[] = [];
  const end = () => {
    if (parts.length > 0) packets.push(`2["events",{"session_id":"${session}","events":[${parts.join(',')}]}]`);
    parts = [];
    chars = 0;
  };
  for (const event of events) {
    if (event.session_id !== session || chars + event.json.length > packetChars) end();
    session = event.session_id;
    parts.push(event.json);
    chars += event.json.length;
  }
  end();
  return packets;
}

function encode(packets: string[]): EncodedDelivery {
  const lengths = packets.map((packet) => Buffer.byteLength(packet) + 1);
  const frames = Buffer.allocUnsafe(lengths.reduce((bytes, length) => bytes + headerBytes(length) + length, 0));
  let at = 0;
  for (const [index, packet] of packets.entries()) {
    const length = lengths[index] ?? 0;
    at = writeHeader(frames, at, length);
    // Engine.IO's type for a message.
    at = frames.writeUInt8(0x34, at);
    at += frames.write(packet, at);
  }
  return { packets, frames, waiting: 0, events: 0, onTaken: undefined };
}

function headerBytes(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}

/** The header of an unmasked, final text frame as a server sends it: RFC 6455, section 5.2. Gives the place behind it. */
function writeHeader(frames: Buffer, at: number, length: number): number {
  frames.writeUInt8(0x81, at);
  if (length < 126) return frames.writeUInt8(length, at + 1);
  if (length < 65_536) return frames.writeUInt16BE(length, frames.writeUInt8(126, at + 1));
  return frames.writeBigUInt64BE(BigInt(length), frames.writeUInt8(127, at + 1));
}
