import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Links to answer a decision from anywhere. The token is a keyed hash of the decision, so nothing has to be kept: it
 * cannot be guessed, survives restarts, and is worth nothing once the decision is made or gone.
 */
export class DecisionLinks {
  readonly #secret: string;

  /** @param secret the journal's own */
  constructor(secret: string) {
    this.#secret = secret;
  }

  /** The path to POST `{"choice": "..."}` to. `epoch` ties it to this history of the session. */
  path(decision: { sessionId: string; decisionId: string; epoch: string }): string {
    return `/api/sessions/${encodeURIComponent(decision.sessionId)}/decisions/${encodeURIComponent(decision.decisionId)}/answer/${this.#token(decision)}`;
  }

  isValid(decision: { sessionId: string; decisionId: string; epoch: string }, token: string): boolean {
    const hash = (text: string) => createHmac('sha256', this.#secret).update(text).digest();
    return timingSafeEqual(hash(token), hash(this.#token(decision)));
  }

  #token({ sessionId, decisionId, epoch }: { sessionId: string; decisionId: string; epoch: string }): string {
    return createHmac('sha256', this.#secret).update(`decision\n${epoch}\n${sessionId}\n${decisionId}`).digest('base64url');
  }
}
