import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { Socket, type SocketConstructorOpts } from 'node:net';

/** Node's own handle of a stream socket, as far as it is used here. */
interface StreamHandle {
  open(fd: number): number;
  close(): void;
}

interface TcpBinding {
  TCP: new (type: number) => StreamHandle;
  constants: { SOCKET: number };
}

const stdoutFd = 1;

/**
 * Calls back once no program reads stdout any more, if stdout is a pipe. A write would fail too (EPIPE), but the next write may
 * be hours away. Linux only; elsewhere the next write tells it.
 *
 * The kernel reports it as an error on the writing end to a program that polls that end. Node polls a pipe that was opened for
 * writing only while something waits to be written, a socket always: so it is given the pipe, opened once more, as one.
 */
export function onReaderGone(listener: () => void): void {
  if (process.platform !== 'linux') return;
  let fd: number | undefined;
  try {
    if (!fstatSync(stdoutFd).isFIFO()) return;
    const { TCP, constants: kinds } = (process as unknown as { binding(name: 'tcp_wrap'): TcpBinding }).binding('tcp_wrap');
    fd = openSync(`/proc/self/fd/${stdoutFd}`, constants.O_WRONLY | constants.O_NONBLOCK);
    const handle = new TCP(kinds.SOCKET);
    if (handle.open(fd) !== 0) throw new Error('the pipe cannot be polled');
    // From here on the handle closes it.
    fd = undefined;
    const socket = new Socket({ handle, readable: true, writable: false } as unknown as SocketConstructorOpts);
    socket.on('error', () => undefined).once('close', listener);
    socket.resume().unref();
  } catch {
    // A Node without that way in, or a pipe that cannot be opened again: the next write tells it.
    if (fd !== undefined) closeSync(fd);
  }
}
