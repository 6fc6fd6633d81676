import { createHmac, timingSafeEqual } from 'node:crypto';
import { isEnded, type SessionState } from '../../../core/protocol/session-state.ts';
import { isSessionId } from '../../../core/ids.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import { isOfProvider, principalOfGrant, type Principal, type PrincipalToken } from '../principal.ts';

/** For so long the token is good while the orchestrator's connection is away. */
const awayMs = 60_000;
/** How often it is looked whether what such a token let in is to end. */
const lookMs = 1_000;
const form = /^sd_run_([0-9a-f]{2,400})_([0-9a-f]{64})$/;

/** What stands in the token of an orchestrator's child. */
export interface ChildTokenText {
  tenant: string | undefined;
  sessionId: string;
  code: string;
}

/** The parts of such a token; undefined for a text of another form. */
export function readChildToken(text: string): ChildTokenText | undefined {
  const [, hex, code] = form.exec(text) ?? [];
  if (hex === undefined || code === undefined) return undefined;
  const [sessionId, tenant, ...rest] = Buffer.from(hex, 'hex').toString().split('\n');
  return isSessionId(sessionId) && rest.length === 0 ? { sessionId, tenant, code } : undefined;
}

interface Known {
  sha256: string;
  principal: Principal;
  end: AbortController;
}

/**
 * Tokens for the programs that an orchestrator starts. Such a token says its session and has a keyed hash of the orchestrator's
 * lease. So nothing has to be kept: it holds over a restart and at each server of the journal, and is worth nothing once the run has
 * ended or another orchestrator has the session.
 */
export class ChildTokens {
  readonly #secret: string;
  readonly #store: SessionStore;
  /** By session: what was let in. */
  readonly #known = new Map<string, Known>();
  /** By session whose orchestrator has attached here by a token of an identity provider: when that one ends. */
  readonly #providers = new Map<string, { sha256: string; ended: AbortSignal }>();
  readonly #timer: NodeJS.Timeout;

  /** @param secret the journal's own */
  constructor(secret: string, store: SessionStore) {
    this.#secret = secret;
    this.#store = store;
    this.#timer = setInterval(() => this.#look(), lookMs);
    this.#timer.unref();
  }

  /**
   * @param lease of which orchestrator: `sha256` is the hash of its lease
   * @param token the token of the orchestrator; absent where it needs none
   */
  mint({ tenant, sessionId, sha256 }: { tenant: string | undefined; sessionId: string; sha256: string }, token?: PrincipalToken): string {
    if (token?.owner !== undefined && isOfProvider(token.owner)) this.#providers.set(sessionId, { sha256, ended: token.ended });
    const hex = Buffer.from(tenant === undefined ? sessionId : `${sessionId}\n${tenant}`).toString('hex');
    return `sd_run_${hex}_${this.#codeOf(sessionId, sha256).toString('hex')}`;
  }

  /** The principal of a token: undefined where it is not good, or not any more. */
  find(token: ChildTokenText): Principal | undefined | Promise<Principal | undefined> {
    const state = this.#store.attachments(token.sessionId);
    return state instanceof Promise ? state.then((loaded) => this.#check(loaded, token)) : this.#check(state, token);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #check(state: SessionState | undefined, { sessionId, tenant, code }: ChildTokenText): Principal | undefined {
    const { sha256, owner } = state?.orchestrator?.lease ?? {};
    if (sha256 === undefined || !this.#isGood(sessionId, state, sha256)) return undefined;
    if (!timingSafeEqual(this.#codeOf(sessionId, sha256), Buffer.from(code, 'hex'))) return undefined;
    const known = this.#known.get(sessionId);
    if (known?.sha256 === sha256) return known.principal;
    known?.end.abort();
    const end = new AbortController();
    const grant = { name: `child of ${owner ?? 'run'}`, role: 'orchestrator', canSteer: false, sessions: [sessionId], tenant } as const;
    const principal = principalOfGrant(grant, { id: `run:${sessionId}`, ended: end.signal, owner, lease: sha256 });
    this.#known.set(sessionId, { sha256, principal, end });
    return principal;
  }

  #look(): void {
    for (const [sessionId, { sha256 }] of [...this.#providers, ...this.#known]) {
      const state = this.#store.attachments(sessionId);
      // One that has to be read first is looked at the next time.
      if (state instanceof Promise) state.catch(() => undefined);
      else if (!this.#isGood(sessionId, state, sha256)) this.#forget(sessionId, state);
    }
  }

  #forget(sessionId: string, state: SessionState | undefined): void {
    this.#known.get(sessionId)?.end.abort();
    this.#known.delete(sessionId);
    // As long as the orchestrator is away, its token counts.
    if (!isAway(state)) this.#providers.delete(sessionId);
  }

  /** Whether the orchestrator with this lease is attached, or away for a moment with a token that is still good. */
  #isGood(sessionId: string, state: SessionState | undefined, sha256: string): boolean {
    if (state?.orchestrator?.lease.sha256 !== sha256 || isEnded(state.status)) return false;
    if (state.orchestrator.attached) return true;
    const owner = this.#providers.get(sessionId);
    return isAway(state) && (owner?.sha256 !== sha256 || !owner.ended.aborted);
  }

  #codeOf(sessionId: string, sha256: string): Buffer {
    return createHmac('sha256', this.#secret).update(`child\n${sessionId}\n${sha256}`).digest();
  }
}

/** Whether the orchestrator has gone so shortly ago that it may come back. */
function isAway(state: SessionState | undefined): boolean {
  if (state?.orchestrator == null || state.orchestrator.attached || isEnded(state.status)) return false;
  return Date.now() - Date.parse(state.orchestrator.last_seen) < awayMs;
}
