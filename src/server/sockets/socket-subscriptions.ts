import type { Socket } from 'socket.io';
import type { z } from 'zod';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { eventFilter } from '../../core/event-filter.ts';
import { limits } from '../../core/protocol/limits.ts';
import { subscribeRequest, unsubscribeRequest, type SubscribedMessage } from '../../core/protocol/messages.ts';
import { parse } from '../../core/json/parse.ts';
import { timestampNow } from '../../core/timestamp.ts';
import { SocketWatcher, type SocketBacklog } from './socket-watcher.ts';
import type { Scope } from '../sessions/watching/delivery.ts';
import type { Subscription } from '../sessions/watching/watcher.ts';
import type { WorkspaceAccess } from '../workspace/workspace-access.ts';

type SubscribeRequest = z.output<typeof subscribeRequest>;

/** One subscription of a client. It counts from the request on, and delivers once it has joined. */
interface ClientSubscription {
  watcher: SocketWatcher;
  hasJoined: boolean;
  subscription?: Subscription;
}

interface SubscriptionParts {
  backlog: SocketBacklog;
  access: WorkspaceAccess;
  /** Called with each request that is taken. */
  onSubscribed: (request: SubscribeRequest) => void;
}

/** What one connected client has subscribed to. */
export class SocketSubscriptions {
  readonly #socket: Socket;
  readonly #backlog: SocketBacklog;
  readonly #access: WorkspaceAccess;
  /** By session id; all sessions under ''. */
  readonly #subscriptions = new Map<string, ClientSubscription>();
  readonly #onSubscribed: SubscriptionParts['onSubscribed'];
  #isImplicit = false;

  constructor(socket: Socket, { backlog, access, onSubscribed }: SubscriptionParts) {
    this.#onSubscribed = onSubscribed;
    this.#socket = socket;
    this.#backlog = backlog;
    this.#access = access;
  }

  /** The sessions, '' for all of them. */
  get keys(): string[] {
    return [...this.#subscriptions.keys()];
  }

  /** The sessions that it named. */
  get named(): string[] {
    return this.keys.filter((key) => key !== '');
  }

  isWatching(sessionId: string): boolean {
    return this.#subscriptions.has(sessionId) || this.#subscriptions.has('');
  }

  close(): void {
    for (const { subscription } of this.#subscriptions.values()) subscription?.close();
    this.#subscriptions.clear();
  }

  async subscribe(payload: unknown, isImplicit = false): Promise<SubscribedMessage> {
    const request = parse(subscribeRequest, payload ?? {});
    const { session_id, event_types, batch } = request;
    const key = session_id ?? '';
    if (this.#subscriptions.size >= limits.subscriptionsPerConnection && !this.#subscriptions.has(key)) {
      throw new ShannonDashError(
        'LIMIT_REACHED',
        `A connection can have ${limits.subscriptionsPerConnection} subscriptions; subscribe to all sessions instead`,
        undefined,
        { limit: 'subscriptions' },
      );
    }
    if (session_id !== undefined) this.endImplicit();
    // A subscription that the client asked for stays, also when the client turns out to be a producer.
    this.#isImplicit = isImplicit && session_id === undefined;
    this.#onSubscribed(request);
    const filter = eventFilter(event_types);
    const scope = session_id === undefined ? this.#access.scope : undefined;
    const shape = { key: shapeKey({ batch, globs: event_types, scope }), filter, globs: event_types, batch, scope };
    const own: ClientSubscription = { watcher: new SocketWatcher(this.#backlog, shape), hasJoined: false };
    this.#subscriptions.get(key)?.subscription?.close();
    this.#subscriptions.set(key, own);
    const subscribed = (cursor: { epoch: string; seq: number }): SubscribedMessage => ({
      success: true,
      session_id: session_id ?? null,
      event_types: event_types ?? ['*'],
      ...cursor,
      timestamp: timestampNow(),
    });
    let answer = subscribed({ epoch: this.#access.epoch, seq: 0 });
    const onJoined = (cursor: { epoch: string; seq: number }) => {
      answer = subscribed(cursor);
      this.#socket.emit('subscribed', answer);
      own.hasJoined = true;
      this.#shareSessions();
    };
    const isCurrent = () => this.#subscriptions.get(key) === own;
    if (session_id === undefined) {
      await this.#access.ready();
      // The client has left, unsubscribed or subscribed anew meanwhile.
      if (!isCurrent()) return answer;
      onJoined(answer);
      own.subscription = this.#access.watchAll(own.watcher, filter);
      await own.subscription.joined;
      return answer;
    }
    try {
      const subscription = await this.#access.watch(session_id, own.watcher, { after: request.after, filter, onJoined });
      // The client has left, unsubscribed or subscribed anew while it joined.
      if (isCurrent()) own.subscription = subscription;
      else subscription.close();
      await subscription.joined;
    } catch (error) {
      if (isCurrent()) this.#subscriptions.delete(key);
      this.#shareSessions();
      throw error;
    }
    return answer;
  }

  unsubscribe(payload: unknown): { success: true } {
    const { session_id } = parse(unsubscribeRequest, payload ?? {});
    for (const [key, { subscription }] of this.#subscriptions) {
      if (session_id != null && key !== session_id) continue;
      subscription?.close();
      this.#subscriptions.delete(key);
    }
    this.#shareSessions();
    return { success: true };
  }

  /** Leaves out of the subscription to all sessions what a subscription by name delivers: each event is sent once. */
  #shareSessions(): void {
    const all = this.#subscriptions.get('');
    if (all === undefined) return;
    const named = [...this.#subscriptions].flatMap(([key, { hasJoined }]) => (key !== '' && hasJoined ? [key] : [])).toSorted();
    const { filter, batch, globs, scope } = all.watcher.shape;
    all.watcher.shape = {
      key: shapeKey({ batch, globs, scope, except: named }),
      filter,
      batch,
      globs,
      scope,
      except: named.length === 0 ? undefined : new Set(named),
    };
  }

  /** Producers hear no echo unless they subscribe. */
  endImplicit(): void {
    if (!this.#isImplicit) return;
    this.#isImplicit = false;
    this.#subscriptions.get('')?.subscription?.close();
    this.#subscriptions.delete('');
  }
}

/** Names an encoding by everything that makes it differ. As JSON, for a glob may hold any character. */
function shapeKey(parts: {
  batch: boolean;
  globs?: readonly string[] | undefined;
  scope?: Scope | undefined;
  except?: readonly string[];
}): string {
  const { batch, globs = null, scope, except = [] } = parts;
  return JSON.stringify([batch, globs, scope?.globs.toSorted() ?? null, except]);
}
