import { isFinal } from '../../core/protocol/command.ts';
import { isEnded, type CommandState, type SessionState } from '../../core/protocol/session-state.ts';
import type { JournalEvent } from '../../journal/journal.ts';
import type { HubChange } from '../sessions/watching/changes.ts';
import type { Attaching } from './attachment/attaching.ts';
import type { CommandDelivery } from './command-delivery.ts';
import type { CommandDue } from './command-due.ts';
import { unfinished } from './rules/command-step.ts';
import type { LedgerParts } from './ledger-parts.ts';
import type { RefusalBudget } from './refusal-budget.ts';

/** The events that the ledger acts on. */
const isFollowed = (type: string) => /^(?:command|decision|orchestrator):|^execution:(?:completed|failed)$/.test(type);

export interface FollowerParts extends LedgerParts {
  delivery: CommandDelivery;
  attaching: Attaching;
  due: CommandDue;
  refusals: RefusalBudget;
}

/**
 * Follows the feed of the journal, whichever server wrote: delivers commands to the orchestrators of this server, wakes
 * those who wait for a command's end, keeps deadlines, and lets go of links that another server has taken over.
 */
export class JournalFollower {
  readonly #parts: FollowerParts;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
  }

  /** Takes a change in after it was folded. @param state undefined when it is not in memory */
  take(change: HubChange, state: SessionState | undefined): void {
    if (change.kind === 'deleted') this.#forget(change.session_id);
    if (change.kind === 'created') this.#keep(change.head.session_id);
    if (change.kind !== 'appended' || !change.events.some(({ type }) => isFollowed(type))) return;
    if (state !== undefined) {
      this.#follow(state, change.events);
      return;
    }
    const follow = (loaded: SessionState | undefined) => loaded !== undefined && this.#follow(loaded, change.events);
    this.#parts.store.load(change.session_id).then(follow).catch(this.#parts.onProblem);
  }

  #follow(state: SessionState, events: readonly JournalEvent[]): void {
    for (const { type, event } of events) {
      if (type.startsWith('command:')) this.#followCommand(state, type, String(event.data['command_id']));
      else if (type.startsWith('decision:')) this.#followDecision(state, event.data['decision_id']);
      else if (type === 'orchestrator:attached') {
        const { server, instance_id, under } = event.data;
        const lease = { server, instanceId: String(instance_id), term: event.seq };
        this.#parts.orchestrators.follow(state.session_id, under === undefined ? 'primary' : 'delegate', lease);
      } else if (type === 'orchestrator:detached') this.#followEnd(state);
      else if (type === 'execution:completed' || type === 'execution:failed') this.#failUnfinished(state);
    }
  }

  #followCommand(state: SessionState, type: string, commandId: string): void {
    const { deadlines, waiters, delivery, orchestrators } = this.#parts;
    const command = state.commands.findLast((each) => each.command_id === commandId);
    if (command === undefined) return;
    deadlines.followCommand(state.session_id, command);
    if (isFinal(command.status)) {
      waiters.tell(state.session_id, command);
      for (const { given } of orchestrators.attachmentsOf(state.session_id)) given.delete(commandId);
      this.#followAnswer(state, command);
    } else if (type === 'command:queued') delivery.deliver(state, command);
  }

  /** A decision whose deadline passed while an answer was on its way is due now if that answer failed. */
  #followAnswer(state: SessionState, { command_type, parameters }: CommandState): void {
    if (command_type === 'DECISION') this.#followDecision(state, parameters['decision_id']);
  }

  #followDecision(state: SessionState, decisionId: unknown): void {
    const decision = state.decisions.findLast((each) => each.decision_id === decisionId);
    if (decision !== undefined) this.#parts.deadlines.followDecision(state.session_id, decision);
  }

  #followEnd(state: SessionState): void {
    this.#failUnfinished(state);
    if (state.orchestrator?.attached !== true) this.#keep(state.session_id);
  }

  #failUnfinished(state: SessionState): void {
    if (!isEnded(state.status) || unfinished(state).length === 0) return;
    this.#parts.due.failUnfinished(state.session_id).catch(this.#parts.onProblem);
  }

  /** Attaches an orchestrator again whose link this server still holds. */
  #keep(sessionId: string): void {
    if (this.#parts.orchestrators.attachmentsOf(sessionId).length === 0) return;
    this.#parts.attaching.keep(sessionId).catch(this.#parts.onProblem);
  }

  /** Ends what belongs to a session that was deleted: its deadlines, and the requests that wait for its commands. */
  #forget(sessionId: string): void {
    const { orchestrators, deadlines, waiters, refusals } = this.#parts;
    orchestrators.forget(sessionId);
    deadlines.forget(sessionId);
    waiters.forget(sessionId);
    refusals.forget(sessionId);
  }
}
