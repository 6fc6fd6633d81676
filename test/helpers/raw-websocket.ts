import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * A WebSocket (RFC 6455) on a bare TCP socket that speaks Engine.IO packets as they stand: it can send what no client
 * library would, and stop reading.
 */
export class RawWebSocket {
  readonly socket: Socket;
  readonly packets: string[] = [];
  isClosed = false;
  receivedBytes = 0;
  #buffer = Buffer.alloc(0);
  #isOpen = false;
  readonly #looks = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
      this.#look();
    });
  }

  /** Sends one text packet, as `42["ping"]`. */
  send(packet: string): void {
    this.socket.write(maskedFrame(0x1, Buffer.from(packet)));
  }

  sendBinary(bytes: Buffer): void {
    this.socket.write(maskedFrame(0x2, bytes));
  }

  until(what: string, holds: () => boolean, timeoutMs = 10_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.#looks.delete(look);
        settle();
      };
      const look = () => {
        if (holds()) end(resolve);
      };
      const timer = setTimeout(() => {
        const last = this.packets.slice(-5).map((packet) => packet.slice(0, 200));
        end(() => reject(new Error(`waited in vain for ${what}; the last packets: ${last.join('\n')}`)));
      }, timeoutMs);
      this.#looks.add(look);
      look();
    });
  }

  /** Waits for a packet that starts so. */
  async next(start: string): Promise<string> {
    await this.until(start, () => this.packets.some((packet) => packet.startsWith(start)));
    return this.packets.find((packet) => packet.startsWith(start)) ?? '';
  }

  #take(chunk: Buffer): void {
    this.receivedBytes += chunk.length;
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    if (!this.#isOpen) {
      const end = this.#buffer.indexOf('\r\n\r\n');
      if (end === -1) return;
      this.packets.push(`HTTP ${this.#buffer.subarray(0, end).toString()}`);
      this.#buffer = this.#buffer.subarray(end + 4);
      this.#isOpen = true;
    }
    for (;;) {
      const frame = readFrame(this.#buffer);
      if (frame === undefined) break;
      this.#buffer = this.#buffer.subarray(frame.bytes);
      // A close frame: a client that reads closes too.
      if (frame.opcode === 0x8) this.socket.end();
      if (frame.opcode === 0x1) this.packets.push(frame.payload.toString());
      if (frame.opcode === 0x1 && frame.payload.toString() === '2') this.send('3');
    }
    this.#look();
  }

  #look(): void {
    for (const look of this.#looks) look();
  }
}

/** Connects and, unless told otherwise, joins the main namespace with this `auth`. */
export async function connectRaw(
  port: number,
  options: { auth?: unknown; headers?: Record<string, string>; join?: boolean; query?: string } = {},
): Promise<RawWebSocket> {
  const socket = connect(port, '127.0.0.1');
  const raw = new RawWebSocket(socket);
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const headers = {
    Host: `127.0.0.1:${port}`,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...options.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.write(`GET /socket.io/?EIO=4&transport=websocket${options.query ?? ''} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  await raw.until('the handshake', () => raw.packets.length > 0 || raw.isClosed);
  if (options.join === false) return raw;
  await raw.next('0{');
  raw.send(`40${JSON.stringify(options.auth ?? { subscribe: false })}`);
  await raw.next('42["connected"');
  return raw;
}

/** A frame as a client sends it. */
export function maskedFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = Buffer.alloc(2 + extended + 4 + length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) frame.writeUInt16BE(length, 2);
  if (extended === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  // A mask of zeros leaves the payload as it is.
  payload.copy(frame, 2 + extended + 4);
  return frame;
}

/** The first frame of what a server has sent; undefined while it is not whole. `bytes` is how much of the buffer it takes. */
export function readFrame(buffer: Buffer): { opcode: number; payload: Buffer; bytes: number } | undefined {
  if (buffer.length < 2) return undefined;
  const short = (buffer[1] ?? 0) & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  if (buffer.length < 2 + extended) return undefined;
  const length = extended === 2 ? buffer.readUInt16BE(2) : extended === 8 ? Number(buffer.readBigUInt64BE(2)) : short;
  const start = 2 + extended;
  if (buffer.length < start + length) return undefined;
  return { opcode: (buffer[0] ?? 0) & 0x0f, payload: buffer.subarray(start, start + length), bytes: start + length };
}
