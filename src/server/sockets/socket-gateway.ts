import type { Server as SocketServer, Socket } from 'socket.io';
import { cancelRequest, commandNames, commandTypes, parseCommand, resendRequest, type CancelAnswer } from '../../core/protocol/command.ts';
import { parse } from '../../core/json/parse.ts';
import { cutText } from '../../core/text/cut-text.ts';
import { errorBody, type ErrorBody } from '../../core/protocol/error-answer.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import { answerNames, type ConnectedMessage } from '../../core/protocol/messages.ts';
import { timestampNow } from '../../core/timestamp.ts';
import { CountedLog } from '../counted-log.ts';
import type { ServerLog } from '../server-log.ts';
import { boundDecoding, dearMessage, inexactMessage } from '../tuning/bounded-decoding.ts';
import type { Authenticator } from '../access/authenticator.ts';
import { toldError } from '../access/local-caller.ts';
import { onTokenEnd, type Principal } from '../access/principal.ts';
import { dearJson } from '../access/dear-json.ts';
import { newRequestId, type OnRefused } from '../access/request-mark.ts';
import { releaseHandshakes } from '../tuning/handshake-release.ts';
import { joinWrites, sendJoined } from '../tuning/joined-writes.ts';
import { onOversizedMessage } from '../tuning/oversized-message.ts';
import { ReadBackpressure } from '../tuning/read-backpressure.ts';
import type { Tuning } from '../tuning/tuning.ts';
import type { Producer } from '../sessions/producer.ts';
import type { CutReason } from '../sessions/backlog.ts';
import type { ReadBudget } from '../sessions/read-budget.ts';
import type { WorkspaceAccess } from '../workspace/workspace-access.ts';
import type { PublishOptions } from '../workspace/workspace-requests.ts';
import { holdsBinary, noteBinary } from './binary-data.ts';
import { refusalOf, type Joining } from './socket-joining.ts';
import { SocketOrchestrator } from './socket-orchestrator.ts';
import { SocketSubscriptions } from './socket-subscriptions.ts';
import { SocketBacklog } from './socket-watcher.ts';

/** The requests that a connected client may rely on, and what they can do. */
const features = ['subscribe', 'publish', 'command', 'resend', 'cancel', 'orchestrator', 'batch', 'cursor', 'cli_event'];

export interface GatewayParts {
  /** What a principal can do in the workspace that calls from an address. */
  as: (principal: Principal, address: string) => WorkspaceAccess;
  /** From where a request comes. */
  addressOf: (request: Socket['request']) => string;
  budget: ReadBudget;
  tuning: Tuning;
  authenticator: Authenticator;
  log: ServerLog;
  version: string;
  /** A client is known, and may stay. */
  onJoined: (connection: object) => void;
  /** A client was cut because it does not read. */
  onSlowConsumer: (reason: CutReason) => void;
  /** A request of a client was refused. */
  onRefused: OnRefused;
}

/** Answers every client of a Socket.IO server: protocol, section 4. */
export function serveSockets(io: SocketServer, parts: GatewayParts): void {
  const refusals = new CountedLog(parts.log);
  const onRefused = ({ code, error, request_id }: ErrorBody, address: string) =>
    refusals.warn(code, { rule: 'token', address, path: `${io.path()}/`, request_id }, error);
  io.use(async (socket, next) => next(await refusalOf(socket, parts, onRefused)));
  io.engine.on('connection', (connection: Socket['conn']) => connection.on('message', noteBinary));
  boundDecoding(io, parts.tuning);
  releaseHandshakes(io, parts.tuning);
  joinWrites(io, parts.tuning);
  io.on('connection', (socket) => new Client(socket, parts).open());
}

/** A request: what it does, and the event that carries its answer besides the ack. */
interface Request {
  handle: (client: Client, payload: unknown, wantsAnswer: boolean) => unknown;
  answerName?: string;
  /** Whether the server reads on from the sender only once this is done. */
  isPaced?: boolean;
  /** Whether the answer has a state, so that it is sent once there is room for it. */
  isLarge?: boolean;
}

/** One connected client: its requests and its subscriptions. */
class Client {
  static readonly #requests: ReadonlyMap<unknown, Request> = new Map<string, Request>([
    ['subscribe', { handle: (client, payload) => client.#subscriptions.subscribe(payload) }],
    ['unsubscribe', { handle: (client, payload) => client.#subscriptions.unsubscribe(payload) }],
    ['publish', { handle: (client, payload, wantsAnswer) => client.#publish(payload, wantsAnswer), isPaced: true }],
    ['cli_event', { handle: (client, payload, wantsAnswer) => client.#publishCliEvent(payload, wantsAnswer), isPaced: true }],
    ['command', { handle: (client, payload) => client.#command(payload), answerName: answerNames.command }],
    ['command:resend', { handle: (client, payload) => client.#access.resend(parse(resendRequest, payload)) }],
    ['command:cancel', { handle: (client, payload) => client.#cancel(payload) }],
    ['command:update', { handle: (client, payload) => client.#asOrchestrator().update(payload) }],
    ['orchestrator:attach', { handle: (client, payload) => client.#attach(payload), isLarge: true }],
    ['ping', { handle: () => ({ timestamp: timestampNow() }), answerName: answerNames.ping }],
  ]);
  readonly #socket: Socket;
  readonly #parts: GatewayParts;
  readonly #name: string | undefined;
  readonly #access: WorkspaceAccess;
  readonly #knowsPaths: boolean;
  readonly #forgetToken: (() => void) | undefined;
  readonly #role: Principal['role'];
  readonly #leave: () => void;
  readonly #backlog: SocketBacklog;
  readonly #subscriptions: SocketSubscriptions;
  /** Absent until it publishes: most clients never do. */
  #reading: ReadBackpressure | undefined;
  /** Absent until it attaches. */
  #orchestrator: SocketOrchestrator | undefined;
  #requestsUnderWay = 0;
  /** Absent until it publishes. */
  #producer: Producer | undefined;
  readonly #checkSession = (sessionId: string) => this.#orchestrator?.checkPublishing(sessionId);
  readonly #onSession = (sessionId: string) => (this.#producer ??= this.#access.producer()).enter(sessionId);

  constructor(socket: Socket, parts: GatewayParts) {
    this.#socket = socket;
    this.#parts = parts;
    const { hello, principal, access, knowsPaths } = socket.data as Joining;
    this.#name = hello.client;
    this.#access = access;
    this.#role = principal.role;
    this.#leave = this.#access.enter();
    // The client comes back, and is told why it is not let in.
    this.#forgetToken = principal.token && onTokenEnd(principal.token, () => socket.conn.close());
    this.#knowsPaths = knowsPaths;
    this.#backlog = new SocketBacklog(socket, {
      budget: parts.budget,
      tuning: parts.tuning,
      onBehind: (waitingBytes) => parts.log.debug({ client: this.#name, id: socket.id, waitingBytes }, 'deliveries fall behind'),
      onCut: (reason) => {
        parts.onSlowConsumer(reason);
        parts.log.warn({ client: this.#name, session: this.#subscriptions.keys }, 'slow consumer: disconnected');
      },
    });
    this.#subscriptions = new SocketSubscriptions(socket, {
      backlog: this.#backlog,
      access: this.#access,
      onSubscribed: ({ session_id = '*', event_types, after }) =>
        parts.log.debug({ client: this.#name, id: socket.id, session: session_id, event_types, after }, 'subscribed'),
    });
  }

  open(): void {
    this.#parts.log.debug({ client: this.#name, id: this.#socket.id, transport: this.#socket.conn.transport.name }, 'connected');
    const { session_id, subscribe } = (this.#socket.data as Joining).hello;
    this.#socket.onAny((name: unknown, ...args: unknown[]) => this.#take(name, args));
    this.#socket.on('disconnect', (reason) => this.#close(reason));
    onOversizedMessage(this.#socket, this.#parts.tuning, () => {
      const sentence = `cut: a message was larger than ${limits.requestBytes} bytes; its sender is to send less at a time`;
      this.#parts.log.warn({ client: this.#name, id: this.#socket.id, limitBytes: limits.requestBytes }, sentence);
    });
    const { version } = this.#parts;
    const connected: ConnectedMessage = {
      server_version: version,
      protocol: limits.protocol,
      epoch: this.#access.epoch,
      session_id: session_id ?? null,
      capabilities: commandTypes,
      features,
      role: this.#role,
      timestamp: timestampNow(),
    };
    this.#socket.emit('connected', connected);
    if (!subscribe) return;
    this.#subscriptions.subscribe({ session_id }, true).catch((error: unknown) => this.#problem(error));
  }

  /**
   * Takes a message of the client. An answer or an error goes to the ack, or else to the named event. This never throws into
   * Socket.IO, whatever the client sends: that would end the process.
   */
  #take(name: unknown, args: readonly unknown[]): void {
    if (!this.#backlog.takesAnswers()) return;
    const last = args.at(-1);
    const ack = typeof last === 'function' ? (last as (answer: unknown) => void) : undefined;
    const payload = ack !== undefined && args.length === 1 ? undefined : args[0];
    const request = Client.#requests.get(name);
    if (request?.isPaced === true) (this.#reading ??= new ReadBackpressure(this.#socket, this.#parts.tuning)).enter(ack !== undefined);
    const answer = (value: unknown) => {
      if (request?.isPaced === true) this.#reading?.leave();
      if (!this.#backlog.isOpen) return;
      sendJoined(this.#socket.conn, this.#parts.tuning, () => {
        ack?.(value);
        if (request?.answerName !== undefined) this.#socket.emit(request.answerName, value);
      });
    };
    const fail = (error: unknown) => {
      const requestId = this.#refused(error, cutText(String(name), limits.idChars));
      const body = { ...errorBody(toldError(error, this.#knowsPaths), requestId), ...(name === 'command' ? commandNames(payload) : {}) };
      answer(body);
      if (ack === undefined && request?.answerName === undefined && this.#backlog.isOpen)
        this.#socket.emit('server:error', { ...body, request: cutText(String(name), limits.idChars) });
    };
    try {
      if (name === dearMessage) throw dearJson('The message');
      if (name === inexactMessage) throw new ShannonDashError('INVALID', String(payload));
      if (request === undefined) throw new ShannonDashError('INVALID', `Unknown message: ${cutText(String(name), limits.idChars)}`);
      if (holdsBinary(this.#socket.conn, payload)) throw new ShannonDashError('INVALID', 'Binary data is not JSON: send texts');
      if (this.#requestsUnderWay >= limits.requestsUnderWay && request.isPaced !== true) {
        throw new ShannonDashError(
          'LIMIT_REACHED',
          `${limits.requestsUnderWay} requests of this connection wait for their answers already`,
          undefined,
          { limit: 'requests' },
        );
      }
      const result = request.handle(this, payload, ack !== undefined);
      if (result instanceof Promise) this.#answerLater(request, result, answer, fail);
      else answer(result);
    } catch (error) {
      fail(error);
    }
  }

  #answerLater(
    { isPaced, isLarge }: Request,
    result: Promise<unknown>,
    answer: (value: unknown) => void,
    fail: (error: unknown) => void,
  ): void {
    if (isPaced === true) {
      result.then(answer, fail);
      return;
    }
    this.#requestsUnderWay++;
    const send = isLarge === true ? (value: unknown) => this.#backlog.answer(JSON.stringify(value).length, () => answer(value)) : answer;
    result
      .then(send, fail)
      .finally(() => this.#requestsUnderWay--)
      .catch((error: unknown) => this.#problem(error));
  }

  #publish(payload: unknown, wantsAnswer: boolean): Promise<unknown> {
    this.#subscriptions.endImplicit();
    return this.#access.publish(payload, this.#publishing(wantsAnswer));
  }

  #publishCliEvent(payload: unknown, wantsAnswer: boolean): Promise<unknown> {
    this.#subscriptions.endImplicit();
    return this.#access.publishCliEvent(payload, this.#publishing(wantsAnswer));
  }

  #publishing(wantsAnswer: boolean): PublishOptions {
    return { checkSession: this.#checkSession, onSession: this.#onSession, wantsAnswer };
  }

  async #command(payload: unknown): Promise<unknown> {
    const request = parseCommand(payload);
    this.#parts.log.debug({ client: this.#name, id: this.#socket.id, session: request.session_id, command: request.type }, 'command');
    const named = this.#subscriptions.named;
    return this.#access.command(request, named.length === 1 ? named[0] : undefined);
  }

  async #cancel(payload: unknown): Promise<CancelAnswer> {
    return { success: true, command: await this.#access.cancel(parse(cancelRequest, payload)), timestamp: timestampNow() };
  }

  #attach(payload: unknown): Promise<unknown> {
    this.#subscriptions.endImplicit();
    return this.#asOrchestrator().attach(payload);
  }

  #asOrchestrator(): SocketOrchestrator {
    return (this.#orchestrator ??= new SocketOrchestrator(this.#socket, {
      access: this.#access,
      isWatching: (sessionId) => this.#subscriptions.isWatching(sessionId),
      onProblem: (error) => this.#problem(error),
    }));
  }

  #close(reason: string): void {
    this.#parts.log.debug({ client: this.#name, id: this.#socket.id, reason }, 'disconnected');
    this.#leave();
    this.#forgetToken?.();
    this.#subscriptions.close();
    this.#producer?.close();
    this.#orchestrator?.close(reason);
  }

  /** A request was refused. @returns by which id the log names it, and the answer */
  #refused(error: unknown, request: string): string {
    const requestId = newRequestId();
    this.#parts.onRefused(error);
    if (error instanceof ShannonDashError) {
      const { code, message } = error;
      this.#parts.log.debug({ client: this.#name, id: this.#socket.id, request, code, request_id: requestId }, `refused: ${message}`);
    } else this.#problem(error, requestId);
    return requestId;
  }

  #problem(error: unknown, requestId?: string): void {
    this.#parts.log.error({ err: error, client: this.#name, request_id: requestId }, 'a request of a client failed');
  }
}
