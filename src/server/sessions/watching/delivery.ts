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
}

/** Characters of JSON in one `events` packet; more are spread over several. */
const packetChars = 256 * 1024;

/** The events of one commit on their way to watchers. Each form is encoded once, however many take it. */
export class Delivery {
  readonly events: readonly JournalEvent[];
  readonly #encoded = new Map<string, EncodedDelivery | undefined>();

  constructor(events: readonly JournalEvent[]) {
    this.events = events;
  }

  /** The encoding for a shape; undefined when no event passes. */
  encoded(shape: DeliveryShape): EncodedDelivery | undefined {
    if (this.#encoded.has(shape.key)) return this.#encoded.get(shape.key);
    const { filter, except, scope } = shape;
    const events = this.events.filter(
      ({ type, session_id }) => filter(type) && except?.has(session_id) !== true && scope?.reaches(session_id) !== false,
    );
    const encoded = events.length === 0 ? undefined : encode(shape.batch ? batchPackets(events) : events.map(namedPacket));
    this.#encoded.set(shape.key, encoded);
    return encoded;
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
  return { packets, frames, waiting: 0 };
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
