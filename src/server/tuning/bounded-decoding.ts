import type { Server as SocketServer } from 'socket.io';
import { firstInexactNumber, inexactNumber, withExactNumbers } from '../../core/json/exact-json.ts';
import { limits } from '../../core/protocol/limits.ts';
import { isDearJson } from '../access/dear-json.ts';
import { nextTurn } from '../turns.ts';
import type { Tuning } from './tuning.ts';

/** The name that stands for a message that would take too long to parse. */
export const dearMessage = 'message:dear';

/** The name that stands for a message with a number that JavaScript would change. It carries the reason of the refusal. */
export const inexactMessage = 'message:inexact';

/** Packets of a polled payload that are taken in one turn of the event loop. */
const packetsPerTurn = 200;

interface Decoder {
  add(packet: unknown): void;
}

/** The part of Engine.IO's polling transport that takes what a client posts, and answers it. */
interface PollingTransport {
  name: string;
  readyState: string;
  dataRes: { end: (...args: unknown[]) => unknown } | null;
  onData: (payload: string) => void;
  onError: (reason: string) => void;
}

/**
 * Keeps what one client sends at once from holding up all others: JSON that would take too long is not parsed, and the
 * packets of a large payload are taken over several turns of the event loop.
 */
export function boundDecoding(io: SocketServer, tuning: Pick<Tuning, 'boundedDecoding'>): void {
  if (!tuning.boundedDecoding) return;
  const server = io as unknown as { _parser: { Decoder: new (...options: unknown[]) => Decoder } };
  // oxlint-disable-next-line no-underscore-dangle -- Socket.IO's own name; the option `parser` would need its parser as a dependency
  const parser = server._parser;
  class BoundedDecoder extends parser.Decoder {
    override add(packet: unknown): void {
      super.add(typeof packet === 'string' ? acceptable(packet) : packet);
    }
  }
  // oxlint-disable-next-line no-underscore-dangle
  server._parser = { ...parser, Decoder: BoundedDecoder };
  io.engine.on('connection', ({ transport }: { transport: PollingTransport }) => {
    if (transport.name === 'polling') Object.assign(transport, { onData: takePayload });
  });
}

/** The packet, or one that stands for it when its JSON would take too long to parse, or would lose digits. */
function acceptable(packet: string): string {
  if (isDearJson(packet)) return refusable(packet, dearMessage);
  const inexact = firstInexactNumber(packet);
  if (inexact === undefined) return packet;
  // The older channel never refuses data: such a number becomes a text of the same digits.
  const exact = /^2\d*\["cli_event",/.test(packet) ? withExactNumbers(packet) : undefined;
  if (exact !== undefined) return exact;
  const [, ...path] = inexact.path();
  return refusable(packet, inexactMessage, inexactNumber({ ...inexact, path: () => path }).message);
}

/** The same message without its content, so that its sender gets an answer. */
function refusable(packet: string, name: string, reason?: string): string {
  const [, acknowledgement = ''] = /^2(\d*)\[/.exec(packet) ?? [];
  return `2${acknowledgement}${JSON.stringify(reason === undefined ? [name] : [name, reason])}`;
}

const separator = '\x1e';
/** The transports whose last payload is still being taken. */
const busy = new WeakSet<PollingTransport>();

function takePayload(this: PollingTransport, payload: string): void {
  const { onData } = Object.getPrototypeOf(this) as PollingTransport;
  const places = separatorsIn(payload, limits.payloadPackets);
  if (busy.has(this)) this.onError('data request overlap from client');
  else if (places.length >= limits.payloadPackets) this.onError('too many packets in a payload');
  else if (places.length < packetsPerTurn) onData.call(this, payload);
  else {
    busy.add(this);
    void takeByAndBy(this, { payload, places, onData, answer: heldAnswer(this) });
  }
}

async function takeByAndBy(
  transport: PollingTransport,
  { payload, places, onData, answer }: { payload: string; places: number[]; onData: PollingTransport['onData']; answer: () => void },
): Promise<void> {
  for (let from = 0, next = packetsPerTurn - 1; from <= payload.length && transport.readyState === 'open'; next += packetsPerTurn) {
    const through = places[next] ?? payload.length;
    onData.call(transport, payload.slice(from, through));
    from = through + 1;
    await nextTurn();
  }
  busy.delete(transport);
  answer();
}

/** Holds back the answer to the request under way: the client sends its next request after it. The returned function sends it. */
function heldAnswer({ dataRes }: PollingTransport): () => void {
  if (dataRes === null) return () => undefined;
  const { end } = dataRes;
  let held: unknown[] = [];
  dataRes.end = (...args) => {
    held = args;
    return dataRes;
  };
  return () => {
    dataRes.end = end;
    end.apply(dataRes, held);
  };
}

/** Where the packets of a payload are separated, at most so many places. */
function separatorsIn(payload: string, most: number): number[] {
  const places: number[] = [];
  for (let at = payload.indexOf(separator); at !== -1 && places.length < most; at = payload.indexOf(separator, at + 1)) places.push(at);
  return places;
}
