import type { EventFilter } from '../core/event-filter.ts';
import type { JournalEvent } from '../journal/journal.ts';

/** Which encoding of a delivery a watcher takes. Watchers of one shape share the encoded bytes. */
export interface DeliveryShape {
  /** Names everything that makes the encoding differ: form, globs, sessions left out. */
  key: string;
  filter: EventFilter;
  /** The globs of the filter; undefined for every type. */
  globs?: readonly string[] | undefined;
  /** True: `events` with many at a time; false: each event under its own name. */
  batch: boolean;
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
    const { filter, except } = shape;
    const events = this.events.filter((event) => filter(event.type) && except?.has(event.session_id) !== true);
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
  // '4' is Engine.IO's type for a message.
  return { packets, frames: Buffer.concat(packets.map((packet) => textFrame(`4${packet}`))), waiting: 0 };
}

/** An unmasked, final text frame as a server sends it: RFC 6455, section 5.2. */
function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const headerBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerBytes + length);
  frame[0] = 0x81;
  if (length < 126) {
    frame[1] = length;
  } else if (length < 65_536) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, headerBytes);
  return frame;
}
