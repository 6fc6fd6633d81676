import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a link is for. `epoch` ties it to this history of the session, `seq` to the event that asked. */
export interface LinkedDecision {
  sessionId: string;
  decisionId: string;
  epoch: string;
  seq: number;
}

/**
 * Links to answer a decision from anywhere. The token is a keyed hash of the decision, so nothing has to be kept: it
 * cannot be guessed, survives restarts, and is worth nothing once the decision is made or gone. A later question under
 * the same id is another one: `seq`, the place of the question in the journal, is part of what is hashed.
 */
export class DecisionLinks {
  readonly #secret: string;

  /** @param secret the journal's own */
  constructor(secret: string) {
    this.#secret = secret;
  }

  /** The path to POST `{"choice": "..."}` to. */
  path(decision: LinkedDecision): string {
    return `/api/sessions/${encodeURIComponent(decision.sessionId)}/decisions/${encodeURIComponent(decision.decisionId)}/answer/${this.#token(decision)}`;
  }

  isValid(decision: LinkedDecision, token: string): boolean {
    const hash = (text: string) => createHmac('sha256', this.#secret).update(text).digest();
    return timingSafeEqual(hash(token), hash(this.#token(decision)));
  }

  #token({ sessionId, decisionId, epoch, seq }: LinkedDecision): string {
    return createHmac('sha256', this.#secret).update(`decision\n${epoch}\n${sessionId}\n${decisionId}\n${seq}`).digest('base64url');
  }
}
