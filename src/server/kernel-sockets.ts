import { closeSync, existsSync, openSync, read } from 'node:fs';
import type { Socket } from 'node:net';
import { endianness } from 'node:os';
import { promisify } from 'node:util';
import { ipv6Words } from '../core/ipv6-words.ts';

/**
 * The kernel's tables of TCP sockets: proc_net_tcp(5), and how many digits an address has there. A socket of IPv6 that speaks IPv4
 * stands in the second.
 */
const [v4, v6] = [
  { path: '/proc/net/tcp', digits: 8 },
  { path: '/proc/net/tcp6', digits: 32 },
];
const isLittle = endianness() === 'LE';
/** What stands before an IPv4 address in IPv6 (RFC 4291, section 2.5.5.2). */
const mappedPrefix = `0000000000000000${isLittle ? 'FFFF0000' : '0000FFFF'}`;
/** The kernel gives no more than a page at a time, which has 64 KiB at most. */
const readBytes = 64 * 1024;
const readPart = promisify(read);

/** What the kernel says of one TCP socket of this machine. */
export interface KernelSocket {
  uid: number;
  /** False once no process holds it any more; the kernel then says that it is root's. */
  isHeld: boolean;
  /** Bytes that were written to it and that the other end has not acknowledged. */
  unacknowledgedBytes: number;
}

/** One end of a connection that is looked for. */
interface Sought {
  /** This end and the other, as the kernel prints them. */
  ends: string;
  /** Their ports. */
  ports: number;
  isV4: boolean;
  found: (socket: KernelSocket | undefined) => void;
}

type Place = [address: string | undefined, port: number | undefined];

/** Whether the kernel tells of its sockets: on Linux. */
export function kernelTells(): boolean {
  return process.getuid !== undefined && existsSync(v4.path);
}

/** Reads the kernel's tables of TCP sockets. Those that ask while it answers share the next answer, for each costs it milliseconds. */
export class KernelSockets {
  readonly #descriptors = new Map<string, number>();
  readonly #buffer = Buffer.allocUnsafe(readBytes);
  #sought: Sought[] = [];
  #isReading = false;

  constructor() {
    if (kernelTells()) for (const { path } of [v4, v6]) if (existsSync(path)) this.#descriptors.set(path, openSync(path, 'r'));
  }

  /** This end of a connection. Undefined: the kernel does not tell, or the connection is gone. */
  near({ localAddress, localPort, remoteAddress, remotePort }: Socket): Promise<KernelSocket | undefined> {
    return this.#find([localAddress, localPort], [remoteAddress, remotePort]);
  }

  /** The other end of a connection, where it is on this machine too. */
  far({ localAddress, localPort, remoteAddress, remotePort }: Socket): Promise<KernelSocket | undefined> {
    return this.#find([remoteAddress, remotePort], [localAddress, localPort]);
  }

  close(): void {
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor);
    this.#descriptors.clear();
  }

  #find([address, port]: Place, [otherAddress, otherPort]: Place): Promise<KernelSocket | undefined> {
    if (
      address === undefined ||
      port === undefined ||
      otherAddress === undefined ||
      otherPort === undefined ||
      this.#descriptors.size === 0
    )
      return Promise.resolve(undefined);
    const ends = `${hexAddress(address)}:${hexPort(port)} ${hexAddress(otherAddress)}:${hexPort(otherPort)}`;
    return new Promise((found) => {
      this.#sought.push({ ends, ports: portsOf(port, otherPort), isV4: address.includes('.'), found });
      if (!this.#isReading) void this.#readAll();
    });
  }

  /** Looks in the tables for what is sought, until nothing is. */
  async #readAll(): Promise<void> {
    this.#isReading = true;
    while (this.#sought.length > 0) {
      const sought = this.#sought.splice(0);
      const left = Map.groupBy(sought, ({ ports }) => ports);
      try {
        if (sought.some(({ isV4 }) => isV4)) await this.#readTable(v4, left);
        await this.#readTable(v6, left);
      } catch {
        // Closed meanwhile: nobody needs to know any more.
      }
      for (const { found } of [...left.values()].flat()) found(undefined);
    }
    this.#isReading = false;
  }

  /**
   * Reads a table until nothing is sought any more. It may have thousands of rows: only those with the ports of what is sought are
   * made into texts.
   */
  async #readTable({ path, digits }: typeof v4, sought: Map<number, Sought[]>): Promise<void> {
    const descriptor = this.#descriptors.get(path);
    if (descriptor === undefined) return;
    let kept = 0;
    for (let at = 0; sought.size > 0;) {
      const { bytesRead } = await readPart(descriptor, this.#buffer, kept, readBytes - kept, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      const rows = this.#buffer.subarray(0, kept + bytesRead);
      let start = 0;
      for (let end = rows.indexOf('\n'); end !== -1; end = rows.indexOf('\n', start)) {
        // A row is its number, a colon, a space, then address:port and address:port.
        const port = rows.indexOf(':', start) + 3 + digits;
        const ports = portsOf(hexAt(rows, port), hexAt(rows, port + 6 + digits));
        if (sought.has(ports)) takeRow(rows.toString('latin1', start, end), ports, sought);
        start = end + 1;
      }
      kept = rows.copyWithin(0, start).length - start;
    }
  }
}

function takeRow(row: string, ports: number, sought: Map<number, Sought[]>): void {
  const [, local = '', remote = '', , queues = '', , , uid, , inode] = row.trim().split(/\s+/);
  const ends = `${withoutPrefix(local)} ${withoutPrefix(remote)}`;
  const left: Sought[] = [];
  for (const each of sought.get(ports) ?? []) {
    if (each.ends === ends) each.found({ uid: Number(uid), isHeld: inode !== '0', unacknowledgedBytes: Number.parseInt(queues, 16) });
    else left.push(each);
  }
  if (left.length === 0) sought.delete(ports);
  else sought.set(ports, left);
}

/** Two ports as one number. */
function portsOf(own: number, other: number): number {
  return own * 0x10000 + other;
}

const nine = '9'.charCodeAt(0);

/** The number that a port's four hexadecimal digits stand for. */
function hexAt(rows: Buffer, at: number): number {
  let port = 0;
  for (let digit = at; digit < at + 4; digit++) {
    const code = rows[digit] ?? 0;
    port = port * 16 + (code & 15) + (code > nine ? 9 : 0);
  }
  return port;
}

function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}

function withoutPrefix(place: string): string {
  return place.startsWith(mappedPrefix) ? place.slice(mappedPrefix.length) : place;
}

/** An address as the kernel prints it: words of 32 bits in the order of this machine's bytes. */
function hexAddress(address: string): string {
  const [dotted] = /\d+(?:\.\d+){3}$/.exec(address) ?? [];
  const bytes = dotted === undefined ? ipv6Words(address).flatMap((word) => [word >> 8, word & 0xff]) : dotted.split('.').map(Number);
  const words = Array.from({ length: bytes.length / 4 }, (_, at) => bytes.slice(4 * at, 4 * at + 4));
  return words
    .flatMap((word) => (isLittle ? word.toReversed() : word))
    .map((byte) => byte.toString(16).toUpperCase().padStart(2, '0'))
    .join('');
}
