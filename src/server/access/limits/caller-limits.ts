import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { accessLimits } from '../../../core/protocol/limits.ts';
import type { ServerLog } from '../../server-log.ts';
import type { Caller } from '../authenticator.ts';
import { ConnectionOwners } from '../connection-owners.ts';
import type { LocalUsers } from '../local-users.ts';
import { isEngineRequest } from '../origin-guard.ts';
import { BeforeLogin } from './before-login.ts';
import { networkOf, type CallerAddresses } from './caller-address.ts';
import { bucketOf } from './failed-tokens.ts';
import { Rate, tooMuch } from './rate.ts';

const { loginBytes, handshakes, connectionsPerAddress, periodMs } = accessLimits;
/** When to ask again for what other connections of the same address take. */
const crowdedMs = 1_000;

export interface CallerLimitsParts {
  users: LocalUsers;
  asksEverybody: boolean;
  addresses: CallerAddresses;
  log: ServerLog;
}

/** What holds for connections, by the address that they come from. Programs that are known without a token are not counted. */
export class CallerLimits {
  readonly owners: ConnectionOwners;
  readonly #login: BeforeLogin;
  readonly #addresses: CallerAddresses;
  readonly #open = new Map<string, number>();
  readonly #handshakes = new Rate({
    limit: 'handshakes',
    most: handshakes,
    periodMs,
    refusal: `One address may connect, and ask without a token, ${handshakes} times in ${periodMs / 1_000} s`,
  });

  constructor(server: Server, { users, asksEverybody, addresses, log }: CallerLimitsParts) {
    const isProxy = (address: string | undefined) => addresses.isProxy(address);
    this.#addresses = addresses;
    this.#login = new BeforeLogin({ held: () => server.maxConnections ?? Infinity, isProxy, log });
    this.owners = new ConnectionOwners(this.#login);
    server.on('connection', (socket: Socket) => {
      this.#count(socket);
      const isOwn = !asksEverybody && users.isOwn(socket);
      if (isOwn instanceof Promise) void isOwn.then((own) => own || this.#login.begin(socket));
      else if (!isOwn) this.#login.begin(socket);
    });
  }

  /** From where a request comes. */
  addressOf(request: IncomingMessage): string {
    return this.#addresses.of(request);
  }

  /** Lets a request pass. @throws ShannonDashError LIMIT_REACHED; UNAUTHENTICATED its caller is not known, and it has a large body */
  admit(request: IncomingMessage, caller: Caller): void | Promise<void> {
    const { socket, url, headers } = request;
    if (caller.kind === 'local') {
      this.#login.known(socket);
      return;
    }
    if (!this.#addresses.isProxy(socket.remoteAddress) && (this.#open.get(networkOf(socket.remoteAddress)) ?? 0) > connectionsPerAddress)
      throw tooMuch(`One address may have ${connectionsPerAddress} connections`, crowdedMs, 'connections');
    if (caller.kind === 'token' || this.owners.hasJoined(request)) {
      this.#login.known(socket);
      return isEngineRequest(url) && url?.includes('sid=') !== true ? this.#take(request) : undefined;
    }
    this.#login.begin(socket);
    if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > loginBytes) {
      const sentence = `Without a token ${loginBytes} bytes are read, and Content-Length has to say how many; send "Authorization: Bearer TOKEN"`;
      throw new ShannonDashError('UNAUTHENTICATED', sentence);
    }
    return this.#take(request);
  }

  /** A request that was let pass is answered from now on. @returns whether the connection is to end with the answer */
  answering(request: IncomingMessage, caller: Caller): boolean {
    if (caller.kind !== 'unknown' || isEngineRequest(request.url)) return false;
    const { socket, headers } = request;
    if (Number(headers['content-length'] ?? 0) === 0) this.#login.answering(socket);
    else request.once('end', () => this.#login.answering(socket));
    return true;
  }

  /** The connection of a request became a WebSocket. */
  upgraded({ socket }: IncomingMessage): void {
    this.#login.boundMessages(socket);
  }

  #take(request: IncomingMessage): Promise<void> {
    return this.#handshakes.take(bucketOf(this.#addresses.networkOf(request)));
  }

  #count(socket: Socket): void {
    const address = networkOf(socket.remoteAddress);
    this.#open.set(address, (this.#open.get(address) ?? 0) + 1);
    socket.once('close', () => {
      const left = (this.#open.get(address) ?? 1) - 1;
      if (left === 0) this.#open.delete(address);
      else this.#open.set(address, left);
    });
  }
}
