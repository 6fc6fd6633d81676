import type { Socket } from 'node:net';
import { isLoopback } from '../../core/loopback.ts';
import { kernelTells, type KernelSockets } from '../kernel-sockets.ts';

/**
 * Tells whose process is at the other end of a connection on this machine. The kernel is asked once for each connection. Where it does
 * not tell (macOS, Windows), every process of the machine counts as the user's own.
 */
export class LocalUsers {
  readonly #kernel: KernelSockets;
  readonly #uid: number | undefined;
  readonly #known = new WeakMap<Socket, boolean | Promise<boolean>>();

  /** @param uid the user that runs the server */
  constructor(kernel: KernelSockets, uid = process.getuid?.()) {
    this.#kernel = kernel;
    this.#uid = uid;
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

  #find(socket: Socket): boolean | Promise<boolean> {
    if (!isLoopback(socket.remoteAddress ?? '') || !isLoopback(socket.localAddress ?? '')) return false;
    if (!kernelTells()) return true;
    return this.#kernel.far(socket).then((end) => end?.isHeld === true && (end.uid === 0 || end.uid === this.#uid));
  }
}
