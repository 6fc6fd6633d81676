import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { accessLimits } from '../../core/protocol/limits.ts';
import type { Caller } from './authenticator.ts';
import type { BeforeLogin } from './limits/before-login.ts';
import { isEngineRequest } from './origin-guard.ts';

interface Owner {
  caller: Caller;
  address: string | undefined;
  /** Of one that has not joined and has to. */
  waiting?: { timer: ReturnType<typeof setTimeout>; sockets: Set<Socket> };
}

/** What is needed of a connection of Engine.IO. */
interface Connection {
  readonly id: string;
  readonly request: IncomingMessage;
  close(discard?: boolean): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** Who opened each connection of Engine.IO. Engine.IO itself takes requests with a known `sid` from anybody. */
export class ConnectionOwners {
  readonly #owners = new Map<string, Owner>();
  readonly #byConnection = new WeakMap<object, Owner>();
  readonly #login: BeforeLogin;

  constructor(login: BeforeLogin) {
    this.#login = login;
  }

  /** @param caller who opened it */
  bind(connection: Connection, caller: Caller): void {
    const { id, request } = connection;
    const owner: Owner = { caller, address: request.socket.remoteAddress };
    if (caller.kind === 'unknown') {
      // A WebSocket of it ends with its TCP connection; one that polls has many.
      const timer = setTimeout(() => connection.close(true), accessLimits.loginMs).unref();
      owner.waiting = { timer, sockets: new Set([request.socket]) };
    }
    this.#owners.set(id, owner);
    this.#byConnection.set(connection, owner);
    connection.once('close', () => {
      clearTimeout(owner.waiting?.timer);
      this.#owners.delete(id);
    });
  }

  /** Its client is known now, by the token in its `auth`. */
  joined(connection: object): void {
    const owner = this.#byConnection.get(connection);
    if (owner?.waiting === undefined) return;
    clearTimeout(owner.waiting.timer);
    for (const socket of owner.waiting.sockets) this.#login.known(socket);
    delete owner.waiting;
  }

  /** Whether a request is about a connection whose client is known; where it will be, the request's own connection counts as known then. */
  hasJoined({ url, socket }: IncomingMessage): boolean {
    const owner = this.#ownerIn(url);
    owner?.waiting?.sockets.add(socket);
    return owner !== undefined && owner.waiting === undefined;
  }

  /** Whether a request names a connection that another caller opened. */
  isForeign({ url, socket }: IncomingMessage, caller: Caller): boolean {
    const owner = this.#ownerIn(url);
    if (owner === undefined) return false;
    if (owner.caller.kind !== caller.kind) return true;
    if (owner.caller.kind === 'token' && caller.kind === 'token') return owner.caller.principal.token?.id !== caller.principal.token?.id;
    // A caller without a token in its header may have sent one in `auth` since: then its address has to do.
    return caller.kind === 'unknown' && owner.address !== socket.remoteAddress;
  }

  #ownerIn(url = ''): Owner | undefined {
    if (!isEngineRequest(url)) return undefined;
    const sid = new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('sid');
    return sid === null ? undefined : this.#owners.get(sid);
  }
}
