import type { Socket } from 'socket.io';

type Connection = Socket['conn'];

/** Connections that have ever sent binary data, which JSON has no place for. */
const binary = new WeakSet<Connection>();

/** Takes a message of a connection before it is decoded. */
export function noteBinary(this: Connection, data: unknown): void {
  if (typeof data !== 'string') binary.add(this);
}

/** Whether what a connection has sent holds binary data anywhere. */
export function holdsBinary(connection: Connection, payload: unknown): boolean {
  return binary.has(connection) && hasBinary(payload);
}

function hasBinary(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer || Object.values(value).some(hasBinary);
}
