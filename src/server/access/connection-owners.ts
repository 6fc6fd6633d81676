import type { IncomingMessage } from 'node:http';
import type { Caller } from './authenticator.ts';
import { callerOf } from './guarded-server.ts';
import { isEngineRequest } from './origin-guard.ts';

interface Owner {
  caller: Caller;
  address: string | undefined;
}

/** What is needed of a connection of Engine.IO. */
interface Connection {
  readonly id: string;
  readonly request: IncomingMessage;
  once(event: 'close', listener: () => void): unknown;
}

/** Who opened each connection of Engine.IO. Engine.IO itself takes requests with a known `sid` from anybody. */
export class ConnectionOwners {
  readonly #owners = new Map<string, Owner>();

  bind(connection: Connection): void {
    const { id, request } = connection;
    this.#owners.set(id, { caller: callerOf(request), address: request.socket.remoteAddress });
    connection.once('close', () => this.#owners.delete(id));
  }

  /** Whether a request names a connection that another caller opened. */
  isForeign({ url = '', socket }: IncomingMessage, caller: Caller): boolean {
    if (!isEngineRequest(url)) return false;
    const sid = new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('sid');
    const owner = sid === null ? undefined : this.#owners.get(sid);
    if (owner === undefined) return false;
    if (owner.caller.kind !== caller.kind) return true;
    if (owner.caller.kind === 'token' && caller.kind === 'token') return owner.caller.principal.token?.id !== caller.principal.token?.id;
    // A caller without a token in its header may have sent one in `auth` since: then its address has to do.
    return caller.kind === 'unknown' && owner.address !== socket.remoteAddress;
  }
}
