import type { SessionEvent } from '../protocol/event.ts';
import type { CommandState, SessionState } from '../protocol/session-state.ts';
import { offeredTo } from './executor.ts';
import { clipped, numberOf, textField } from './fold-values.ts';

/** `orchestrator:*`: which orchestrator carries commands out, and which server holds its connection. */
export function foldOrchestrator(state: SessionState, event: SessionEvent): Partial<SessionState> {
  const { type, data, timestamp, seq } = event;
  const instanceId = textField(data, 'instance_id');
  // A program under a supervising orchestrator does not replace that orchestrator.
  const isDelegate = data['under'] !== undefined;
  if (type === 'orchestrator:detached') {
    const known = isDelegate ? state.delegate : state.orchestrator;
    const term = numberOf(data, 'term');
    // The end of an attachment that another one has followed says nothing about that one.
    if (known !== null && instanceId !== null && known.instance_id !== instanceId) return {};
    if (known !== null && term !== null && known.lease.term !== term) return {};
    if (isDelegate) return { delegate: null };
    return {
      orchestrator: {
        attached: false,
        instance_id: state.orchestrator?.instance_id ?? instanceId,
        capabilities: state.orchestrator?.capabilities ?? [],
        last_seen: timestamp,
        lease: state.orchestrator?.lease ?? { server: null, term: 0 },
      },
    };
  }
  const [owner, sha256] = [textField(data, 'owner'), textField(data, 'lease')];
  const attachment = {
    instance_id: instanceId,
    capabilities: capabilitiesOf(data['capabilities']),
    lease: {
      server: textField(data, 'server'),
      term: seq,
      ...(owner === null ? {} : { owner }),
      ...(sha256 === null ? {} : { sha256 }),
    },
  };
  const attached = isDelegate ? { delegate: attachment } : { orchestrator: { ...attachment, attached: true, last_seen: timestamp } };
  return { ...attached, ...offered({ ...state, ...attached }) };
}

/** Whoever attaches gets the commands that wait for it, from this event on. */
function offered(state: SessionState): Partial<SessionState> {
  const isTaken = ({ status, command_type }: CommandState) => status === 'queued' && offeredTo(state, command_type) !== null;
  if (!state.commands.some(isTaken)) return {};
  return {
    commands: state.commands.map((each) => (isTaken(each) ? { ...each, offered_to: offeredTo(state, each.command_type) } : each)),
  };
}

function capabilitiesOf(capabilities: unknown): string[] {
  if (!Array.isArray(capabilities)) return [];
  const texts = capabilities.filter((each) => typeof each === 'string').slice(0, 64);
  return texts.map((each) => clipped(each, 128));
}
