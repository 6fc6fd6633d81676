import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { maskedFrame, readFrame } from '../helpers/raw-websocket.ts';

/**
 * A connection on a bare TCP socket, which can stop to read and be dropped as a lost one is, and which costs less to read than any client.
 * It tells each message of Socket.IO, or what comes of an HTTP answer, as text, and keeps none.
 */
export class RawReader {
  readonly socket: Socket;
  isClosed = false;
  #onText: (text: string) => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined).on('close', () => (this.isClosed = true));
  }

  static async #connect(port: number): Promise<RawReader> {
    const reader = new RawReader(connect(port, '127.0.0.1'));
    await once(reader.socket, 'connect');
    return reader;
  }

  /** Asks for a path; the answer comes as it stands on the wire. */
  static async get(port: number, path: string, accept: string): Promise<RawReader> {
    const reader = await RawReader.#connect(port);
    reader.socket.on('data', (data) => reader.#onText(data.toString('latin1')));
    reader.socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: ${accept}\r\nConnection: close\r\n\r\n`);
    return reader;
  }

  /** Joins Socket.IO over a WebSocket and subscribes to what `subscribe` names. */
  static async subscribe(port: number, subscribe: object): Promise<RawReader> {
    const reader = await RawReader.#connect(port);
    const { socket } = reader;
    let buffer = Buffer.alloc(0);
    let isOpen = false;
    socket.on('data', (data) => {
      buffer = buffer.length === 0 ? data : Buffer.concat([buffer, data]);
      if (!isOpen) {
        const end = buffer.indexOf('\r\n\r\n');
        if (end === -1) return;
        isOpen = true;
        buffer = buffer.subarray(end + 4);
      }
      for (let frame = readFrame(buffer); frame !== undefined; frame = readFrame(buffer)) {
        buffer = buffer.subarray(frame.bytes);
        if (frame.opcode === 0x8) socket.end();
        if (frame.opcode === 0x1) reader.#takePacket(frame.payload.toString('latin1'));
      }
    });
    const upgrade = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ];
    socket.write(`GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${upgrade.join('\r\n')}\r\n\r\n`);
    await reader.next('0{');
    reader.#send('40{"subscribe":false}');
    await reader.next('42["connected"');
    reader.#send(`42["subscribe",${JSON.stringify(subscribe)}]`);
    await reader.next('42["subscribed"');
    return reader;
  }

  /** Tells what comes from now on. */
  onText(listener: (text: string) => void): this {
    this.#onText = listener;
    return this;
  }

  /** Waits for a message that starts so. */
  next(start: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const before = this.#onText;
      const fail = () => reject(new Error(`the connection ended before ${start}`));
      this.socket.once('close', fail);
      this.#onText = (text) => {
        before(text);
        if (!text.startsWith(start)) return;
        this.socket.off('close', fail);
        this.#onText = before;
        resolve(text);
      };
    });
  }

  /** Reads no more. */
  stick(): void {
    this.socket.pause();
  }

  /** Ends without a word to the other side. */
  drop(): void {
    this.socket.resetAndDestroy();
  }

  #takePacket(text: string): void {
    if (text === '2') this.#send('3');
    this.#onText(text);
  }

  #send(packet: string): void {
    this.socket.write(maskedFrame(0x1, Buffer.from(packet)));
  }
}
