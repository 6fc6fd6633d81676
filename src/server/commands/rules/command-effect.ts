import { decisionMadeId } from '../../../core/ids.ts';
import { isEnded, type CommandState, type SessionState } from '../../../core/protocol/session-state.ts';
import type { NewEvent } from '../../../journal/journal.ts';
import { gateStatus } from './command-refusal.ts';

type Effect = Pick<NewEvent, 'type' | 'data' | 'id'>;

/**
 * What a command does to the session when it is applied: protocol, section 6. Empty where the session is there already
 * (two HALTs) or beyond (the run ended meanwhile).
 */
export function effectOf(state: SessionState, command: Pick<CommandState, 'command_id' | 'command_type' | 'by' | 'parameters'>): Effect[] {
  const { command_id, parameters, by } = command;
  const common = { ...parameters, command_id, initiated_by: by };
  switch (command.command_type) {
    case 'HALT':
      return gateStatus(state) === 'halted' || isEnded(state.status) ? [] : [{ type: 'execution:halted', data: common }];
    case 'RESUME':
      return gateStatus(state) === 'halted' ? [{ type: 'execution:resumed', data: common }] : [];
    case 'ROLLBACK':
      return parameters['dry_run'] === true ? [] : [{ type: 'execution:rollback', data: common }];
    case 'REDIRECT':
      return [{ type: 'execution:redirect', data: common }];
    case 'DECISION': {
      const decision = state.decisions.find((each) => each.decision_id === parameters['decision_id'] && each.status === 'open');
      if (decision === undefined) return [];
      return [{ type: 'decision:made', id: decisionMadeId(decision.seq), data: { ...parameters, command_id, made_by: by } }];
    }
    case 'INJECT':
      return [{ type: 'skill:injected', data: { ...parameters, command_id, injected_by: by } }];
    // How it ended, its program says itself.
    case 'STOP':
      return [];
  }
}
