import type { CallerRole, Role } from '../../core/access.ts';

/** The caller behind a request, as the server has authenticated it. */
export interface Principal {
  readonly role: CallerRole;
  /** Whether an operator may also send the commands that can run code. */
  readonly canSteer: boolean;
  /** Globs over the ids of the sessions that it may reach; `*` is every session. */
  readonly sessions: readonly string[];
  /** The tenant in whose workspace it works; absent: the server's own. */
  readonly tenant?: string | undefined;
  /** Written into each event that it publishes, as `source`. */
  readonly source: string | undefined;
  /** Written into each command that it sends, as `by`. */
  readonly by: string;
  /** What the server knows of the caller's token; absent for a caller that needs none. */
  readonly token?: PrincipalToken | undefined;
}

/** The token by which a caller was authenticated. */
export interface PrincipalToken {
  readonly id: string;
  /** To whom belongs what it attaches: the same for each token that takes the place of a former one. */
  readonly owner: string | undefined;
  /** The hash of the lease that it stands for, where it is that of an orchestrator's child. */
  readonly lease?: string;
  /** Aborted when the token expires or is revoked: what was let in by it ends then. */
  readonly ended: AbortSignal;
}

const callbacksAtEnd = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back when a token ends. A signal goes through all its listeners when it takes one more, and every request and connection of a
 * token waits for its end: so each signal has one listener here.
 * @returns takes the callback back
 */
export function onTokenEnd({ ended }: Pick<PrincipalToken, 'ended'>, callback: () => void): () => void {
  const callbacks = callbacksAtEnd.get(ended) ?? new Set();
  if (!callbacksAtEnd.has(ended)) {
    callbacksAtEnd.set(ended, callbacks);
    ended.addEventListener('abort', () => callbacks.forEach((each) => each()), { once: true });
  }
  callbacks.add(callback);
  return () => void callbacks.delete(callback);
}

/** The owner of the tokens of an identity provider. No token of the file has a name with a colon. */
export function ownerOfProvider(name: string): string {
  return `jwt:${name}`;
}

/** Whether an owner has the tokens of an identity provider. */
export function isOfProvider(owner: string): boolean {
  return owner.startsWith(ownerOfProvider(''));
}

/** What the table of tokens, or an identity provider, says of a caller. */
export interface Grant {
  name: string;
  role: Role;
  canSteer: boolean;
  sessions: readonly string[];
  tenant: string | undefined;
}

const everySession = ['*'] as const;

/**
 * The principal of a process of the user that runs the server, on the same machine: it may do everything, as it could with the
 * user's own files. All that the server knows of it is the name that it gives itself.
 * @param name the name that the caller gives itself, if it gives one
 * @param unnamed what stands in the ledger for a caller without a name
 */
export function unrestricted(name: string | undefined, unnamed: string): Principal {
  return { role: 'admin', canSteer: true, sessions: everySession, source: name, by: name ?? unnamed };
}

/** The principal of a token. Its name is the token's: what a caller says of itself proves nothing. */
export function principalOfGrant({ name, ...grant }: Grant, token: PrincipalToken): Principal {
  return { ...grant, source: name, by: name, token };
}

/** The principal of a caller without a token. What it answers by the link of a decision stands in the ledger as answered so. */
export const anonymous: Principal = { role: 'anonymous', canSteer: false, sessions: everySession, source: undefined, by: 'link' };
