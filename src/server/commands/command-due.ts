import { decisionMadeId } from '../../core/ids.ts';
import { isEnded, type CommandState, type SessionState } from '../../core/protocol/session-state.ts';
import { isAttended } from './attachment/attached.ts';
import { step, unfinished, type Step } from './rules/command-step.ts';
import type { LedgerParts } from './ledger-parts.ts';

/** Writes the steps that time, or the end of a run, brings. Every server may write them: each step has a fixed id, so that it is written once. */
export class CommandDue {
  readonly #parts: LedgerParts;
  readonly #expiryMs: number;

  constructor(parts: LedgerParts, expiryMs: number) {
    this.#parts = parts;
    this.#expiryMs = expiryMs;
  }

  /** Fails the unfinished commands of a run that is over, when no orchestrator is attached that could still carry them out. */
  failUnfinished(sessionId: string): Promise<void> {
    return this.#write(sessionId, (state) => {
      if (!isEnded(state.status) || isAttended(state)) return [];
      return unfinished(state).map((command) => step(command, 'failed', { error: runEnded(state), acknowledged_by: 'server' }));
    });
  }

  /** Expires a command that has waited too long for its delivery. */
  expire(sessionId: string, commandId: string): void {
    const { history, deadlines, onProblem } = this.#parts;
    this.#write(sessionId, async () => {
      const command = await history.find(sessionId, commandId);
      return command?.status === 'queued' ? [step(command, 'expired', { error: undelivered(command, this.#expiryMs / 1_000) })] : [];
    }).catch((cause: unknown) => {
      onProblem(cause);
      deadlines.tryAgain(sessionId, commandId, () => this.expire(sessionId, commandId));
    });
  }

  /** Lets a decision take its default, because its time is over. */
  decideByTimeout(sessionId: string, decisionId: string): void {
    const { deadlines, onProblem } = this.#parts;
    this.#write(sessionId, (state) => {
      const decision = state.decisions.find((each) => each.decision_id === decisionId);
      if (decision?.status !== 'open' || decision.default === null) return [];
      // An answer is on its way. If it fails, the deadline is set again.
      const isAnswered = unfinished(state).some(
        (each) => each.command_type === 'DECISION' && each.parameters['decision_id'] === decisionId,
      );
      const data = { decision_id: decisionId, choice: decision.default, made_by: 'timeout' };
      return isAnswered ? [] : [{ type: 'decision:made', id: decisionMadeId(decision.seq), data }];
    }).catch((cause: unknown) => {
      onProblem(cause);
      deadlines.tryAgain(sessionId, decisionId, () => this.decideByTimeout(sessionId, decisionId));
    });
  }

  #write(sessionId: string, steps: (state: SessionState) => readonly Step[] | Promise<readonly Step[]>): Promise<void> {
    const { mutex, store, writer } = this.#parts;
    return mutex.run(sessionId, async () => {
      // The session was deleted meanwhile.
      if (store.get(sessionId) === undefined) return;
      await writer.write(sessionId, async (state) => ({ events: await steps(state), result: undefined }));
    });
  }
}

/** Why a command expires. One that a program was sent, which never said so, may be done. */
function undelivered({ offered_to }: CommandState, seconds: number): string {
  if (offered_to === null) return `It was not delivered within ${seconds} s`;
  return `It was sent to ${offered_to}, which did not say within ${seconds} s that it has it: it may have been carried out`;
}

/** Why a command fails with its run. */
export function runEnded({ status }: SessionState): string {
  return `The run ended (${status}) before this was carried out`;
}
