import type { Socket } from 'socket.io-client';
import type { ShannonDashError } from '../../core/protocol/errors.ts';
import { serverMessages, type ServerMessage, type ServerMessageName } from '../../core/protocol/messages.ts';
import { Listeners } from './listeners.ts';
import { readAs } from './connect-failure.ts';

type Acknowledge = (value: unknown) => void;
/** A server whose messages are listened to. */
interface HeardServer {
  readonly url: string;
  readonly socket: Pick<Socket, 'on'>;
}

type Listener<Name extends ServerMessageName> = (message: ServerMessage<Name>, answer: Acknowledge) => void;

/**
 * The messages of the servers on their way to the listeners. Each message is checked by its schema once, however many listen. One
 * that does not fit is left out and told as `unreadable`.
 */
export class MessageListeners {
  readonly unreadable = new Listeners<{ name: ServerMessageName; error: ShannonDashError }>();
  readonly #servers: readonly HeardServer[];
  readonly #isHeard: (server: HeardServer) => boolean;
  readonly #listeners = new Map<ServerMessageName, Listeners<{ message: unknown; answer: Acknowledge }>>();

  /** @param isHeard whether a server's messages count now. What is left of a former connection is heard before the next greeting. */
  constructor(servers: readonly HeardServer[], isHeard: (server: HeardServer) => boolean) {
    this.#servers = servers;
    this.#isHeard = isHeard;
  }

  /** @returns stops listening */
  add<Name extends ServerMessageName>(name: Name, listener: Listener<Name>): () => void {
    const listeners = this.#listeners.get(name) ?? this.#listenTo(name);
    return listeners.add(({ message, answer }) => listener(message as ServerMessage<Name>, answer));
  }

  #listenTo(name: ServerMessageName): Listeners<{ message: unknown; answer: Acknowledge }> {
    const listeners = new Listeners<{ message: unknown; answer: Acknowledge }>();
    this.#listeners.set(name, listeners);
    for (const server of this.#servers) {
      server.socket.on(name, (sent: unknown, acknowledge: unknown) => {
        if (!this.#isHeard(server)) return;
        const answer = typeof acknowledge === 'function' ? (acknowledge as Acknowledge) : () => undefined;
        let message: unknown;
        try {
          message = readAs(serverMessages[name], sent, { url: server.url, what: name });
        } catch (error) {
          this.unreadable.tell({ name, error: error as ShannonDashError });
          return;
        }
        listeners.tell({ message, answer });
      });
    }
    return listeners;
  }
}
