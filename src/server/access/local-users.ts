import { closeSync, existsSync, openSync, read } from 'node:fs';
import type { Socket } from 'node:net';
import { endianness } from 'node:os';
import { promisify } from 'node:util';
import { isLoopback } from '../../core/loopback.ts';

/** The kernel's tables of TCP sockets: proc_net_tcp(5). A socket of IPv6 that speaks IPv4 stands in the second. */
const tables = ['/proc/net/tcp', '/proc/net/tcp6'];
const isLittle = endianness() === 'LE';
/** What stands before an IPv4 address in IPv6 (RFC 4291, section 2.5.5.2). */
const mappedPrefix = `0000000000000000${isLittle ? 'FFFF0000' : '0000FFFF'}`;
const readBytes = 64 * 1024;
const readPart = promisify(read);

/** Whether the kernel tells whose a connection is. Where it does not (macOS, Windows), every process of the machine counts as the user's own. */
export function kernelTells(): boolean {
  return process.getuid !== undefined && existsSync(tables[0] ?? '');
}

/** A connection whose other end is looked for. */
interface Sought {
  /** The other end and this end, as the kernel prints them. */
  ends: string;
  found: (isOwn: boolean) => void;
}

/**
 * Tells whose process is at the other end of a connection on this machine. The kernel is asked once for each connection; those that
 * come while it answers share the next answer, for each costs it milliseconds.
 */
export class LocalUsers {
  readonly #uid: number | undefined;
  readonly #descriptors: number[] = [];
  readonly #known = new WeakMap<Socket, boolean | Promise<boolean>>();
  #sought: Sought[] = [];
  #isReading = false;

  /** @param uid the user that runs the server */
  constructor(uid = process.getuid?.()) {
    this.#uid = uid;
    if (uid === undefined) return;
    for (const path of tables) if (existsSync(path)) this.#descriptors.push(openSync(path, 'r'));
  }

  /** Whether the process at the other end is on this machine, and of the user that runs the server or of root. */
  isOwn(socket: Socket): boolean | Promise<boolean> {
    const known = this.#known.get(socket);
    if (known !== undefined) return known;
    const answer = this.#find(socket);
    this.#known.set(socket, answer);
    if (answer instanceof Promise) void answer.then((isOwn) => this.#known.set(socket, isOwn));
    return answer;
  }

  close(): void {
    for (const descriptor of this.#descriptors.splice(0)) closeSync(descriptor);
  }

  #find({ remoteAddress, remotePort, localAddress, localPort }: Socket): boolean | Promise<boolean> {
    if (remoteAddress === undefined || remotePort === undefined || localAddress === undefined || localPort === undefined) return false;
    if (!isLoopback(remoteAddress) || !isLoopback(localAddress)) return false;
    if (!kernelTells()) return true;
    const ends = `${hexAddress(remoteAddress)}:${hexPort(remotePort)} ${hexAddress(localAddress)}:${hexPort(localPort)}`;
    return new Promise((found) => {
      this.#sought.push({ ends, found });
      if (!this.#isReading) void this.#readAll();
    });
  }

  /** Looks in the tables for what is sought, until nothing is. */
  async #readAll(): Promise<void> {
    this.#isReading = true;
    while (this.#sought.length > 0) {
      const sought = new Map(this.#sought.splice(0).map(({ ends, found }) => [ends, found]));
      try {
        for (const descriptor of this.#descriptors) if (sought.size > 0) await this.#readTable(descriptor, sought);
      } catch {
        // Closed meanwhile: nobody is let in any more.
      }
      for (const found of sought.values()) found(false);
    }
    this.#isReading = false;
  }

  async #readTable(descriptor: number, sought: Map<string, (isOwn: boolean) => void>): Promise<void> {
    const buffer = Buffer.allocUnsafe(readBytes);
    let rest = '';
    for (let at = 0; sought.size > 0;) {
      const { bytesRead } = await readPart(descriptor, buffer, 0, readBytes, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      const rows = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
      rest = rows.pop() ?? '';
      for (const row of rows) this.#takeRow(row, sought);
    }
  }

  #takeRow(row: string, sought: Map<string, (isOwn: boolean) => void>): void {
    const [, local = '', remote = '', , , , , uid, , inode] = row.trim().split(/\s+/);
    const ends = `${withoutPrefix(local)} ${withoutPrefix(remote)}`;
    const found = sought.get(ends);
    if (found === undefined) return;
    sought.delete(ends);
    // A socket that no process holds any more has no inode, and the kernel says that it is root's.
    found(inode !== '0' && (uid === '0' || Number(uid) === this.#uid));
  }
}

function withoutPrefix(place: string): string {
  return place.startsWith(mappedPrefix) ? place.slice(mappedPrefix.length) : place;
}

function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}

/** A loopback address as the kernel prints it: words of 32 bits in the order of this machine's bytes. */
function hexAddress(address: string): string {
  const [v4] = /\d+(?:\.\d+){3}$/.exec(address) ?? [];
  if (v4 === undefined) return `${'0'.repeat(24)}${isLittle ? '01000000' : '00000001'}`;
  const bytes = v4.split('.').map((each) => Number(each).toString(16).toUpperCase().padStart(2, '0'));
  return (isLittle ? bytes.toReversed() : bytes).join('');
}
