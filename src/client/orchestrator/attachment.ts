import type { AttachedMessage } from '../../core/protocol/messages.ts';
import type { ShannonDashError } from '../../core/protocol/errors.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import type { Connection } from '../connection/connection.ts';
import { StandingRequest } from '../connection/standing-request.ts';

export interface AttachmentParts {
  connection: Connection;
  session: string;
  instanceId: string;
  /** The supervising instance, if there is one. */
  under: string | undefined;
  /** Whether it may take the session from another instance. */
  takesOver: boolean;
  /** Whether it wants a token for the programs that it starts. */
  wantsChildToken: boolean;
  /** What it announces now. */
  capabilities: () => string[];
  /** The server's answer, before anything else is done with it. */
  onAnswer: (answer: AttachedMessage, isFirst: boolean) => void;
  /** Attached: commands, events and the gate may go. */
  onAttached: (answer: AttachedMessage) => void;
  /** It will not be attached (any more); without an error the connection was closed. */
  onEnd: (error: ShannonDashError | undefined) => void;
}

/** An orchestrator's place at its session, taken again after each reconnect. */
export class Attachment {
  readonly #parts: AttachmentParts;
  readonly #request: StandingRequest;
  #state: SessionState | undefined;
  /** Proves to the server that it is the same client that attaches again. */
  #lease: string | undefined;
  #childToken: string | undefined;
  #announced = '';
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: AttachmentParts) {
    this.#parts = parts;
    this.#request = new StandingRequest(parts.connection, { ask: () => this.#ask(), end: parts.onEnd });
  }

  /** Resolves when attached for the first time. @throws ShannonDashError why it will not be */
  get first(): Promise<void> {
    return this.#request.first;
  }

  /** The session as the server told it last. */
  get state(): SessionState | undefined {
    return this.#state;
  }

  /** The token for the programs that it starts, once the server has given it. */
  get childToken(): string | undefined {
    return this.#childToken;
  }

  /** Tells the server of capabilities that have changed; those of one turn of the event loop together. */
  announce(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#state !== undefined && this.#parts.capabilities().join() !== this.#announced) this.#request.again();
    }, 0);
  }

  close(): void {
    this.#count++;
    clearTimeout(this.#timer);
    this.#request.close();
  }

  async #ask(): Promise<void> {
    const { connection, session, instanceId, under, takesOver, wantsChildToken } = this.#parts;
    const isFirst = this.#state === undefined;
    const capabilities = this.#parts.capabilities();
    const answer = await connection.request('orchestrator:attach', {
      session_id: session,
      instance_id: instanceId,
      capabilities,
      reattach: !isFirst,
      take_over: takesOver,
      ...(under === undefined ? {} : { under }),
      ...(this.#lease === undefined ? {} : { lease: this.#lease }),
      ...(wantsChildToken ? { child_token: true } : {}),
    });
    this.#announced = capabilities.join();
    this.#state = answer.state;
    this.#lease = answer.lease;
    this.#childToken = answer.child_token;
    this.#parts.onAnswer(answer, isFirst);
    const count = ++this.#count;
    const begin = () => {
      if (count === this.#count && connection.state.status === 'live') this.#parts.onAttached(answer);
    };
    // The first time after the turn in which `connectOrchestrator` resolves: handlers that are registered there miss nothing.
    if (isFirst) setTimeout(begin, 0);
    else begin();
  }
}
