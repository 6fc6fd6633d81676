import { agentLimits } from '../../core/protocol/limits.ts';
import { isEnded, type SessionState } from '../../core/protocol/session-state.ts';
import type { Signal, SignalOf } from '../signal.ts';
import { decisionsOf, isAsking } from './decisions.ts';
import { callData, closedDecisions, deniedCall, durationOf, filesChanged, toolStarted, unheardEnds } from './call-events.ts';
import type { Told } from './told.ts';
import { toldText, toldValue } from './told-value.ts';
import { isTurnOver, worksOn } from './working.ts';

/** What a signal is heard against. */
export interface Listening {
  /** The agent's name. */
  agent: string;
  /** The session as it is now; undefined where there is none yet. */
  state: SessionState | undefined;
  /** The name of the session's own agent among the agents of the session; null where the session is that agent's own. */
  self: string | null;
  /** Whether the session is the agent's own. Otherwise a program above it begins and ends the session. */
  isOwnSession: boolean;
  /** Names the tool call that the signal is about, within the session. */
  callId: string;
  /** How long the hook can be held. */
  holdMs: number;
  /** The git branch, where it is known. */
  branch: string | null;
}

/** What a signal means for the session, as events. Pure: what was before is in the state. */
export function eventsOf(signal: Signal, listening: Listening): Told[] {
  const { state } = listening;
  const agentId = signal.agentId ?? listening.self;
  const isStart = listening.isOwnSession && (state === undefined || state.started_at === null || isEnded(state.status));
  return [
    ...(isStart && signal.kind !== 'session-ended' ? [started(signal, listening)] : moved(signal, listening)),
    ...unknownAgent(signal, listening, agentId),
    ...closedDecisions(signal, listening),
    ...heard(signal, listening, agentId),
  ];
}

/** The first that is heard of a session, whatever it is: it may have begun before anybody listened. */
function started(signal: Signal, { agent, branch }: Listening): Told {
  const { cwd, model, session } = signal;
  return {
    type: 'execution:started',
    data: {
      ...(signal.kind === 'prompt' && signal.by === 'user' ? { task: taskOf(signal) } : {}),
      ...placeOf(signal, branch),
      labels: [agent],
      agent,
      agent_session: session,
      ...(cwd === null ? {} : { cwd: toldText(cwd, 1_000) }),
      ...(signal.kind === 'session-started'
        ? { how: signal.how, ...(signal.title === null ? {} : { title: toldText(signal.title, 200) }) }
        : {}),
      ...(model === null ? {} : { model: toldText(model, 200) }),
    },
  };
}

/** The folder, the branch, the model and the task, where they have changed. */
function moved(signal: Signal, { state, branch, isOwnSession }: Listening): Told[] {
  if (state === undefined || signal.agentId !== null || signal.kind === 'session-ended') return [];
  const place = placeOf(signal, branch);
  const changed = Object.entries(place).filter(([field, value]) => state[field as keyof typeof place] !== value);
  const isTask = isOwnSession && signal.kind === 'prompt' && signal.by === 'user' && state.task === null;
  const data = { ...Object.fromEntries(changed), ...(isTask ? { task: taskOf(signal) } : {}) };
  return Object.keys(data).length === 0 ? [] : [{ type: 'execution:progress', data }];
}

function placeOf({ cwd, model }: Signal, branch: string | null): { folder?: string; model?: string; branch?: string } {
  const folder = cwd === null ? undefined : cwd.split(/[\\/]/).findLast((each) => each !== '');
  return {
    ...(folder === undefined ? {} : { folder: toldText(folder, 200) }),
    ...(model === null ? {} : { model: toldText(model, 200) }),
    ...(branch === null ? {} : { branch: toldText(branch, 200) }),
  };
}

function taskOf({ text }: SignalOf<'prompt'>): string {
  return toldText(text.trim(), 500);
}

/** An agent that speaks and that nobody has told of: its start was not heard. */
function unknownAgent(signal: Signal, { state, agent }: Listening, agentId: string | null): Told[] {
  if (agentId === null || signal.kind === 'agent-started' || signal.kind === 'agent-ended') return [];
  const known = state?.agents.findLast((each) => each.agent_id === agentId);
  // A sub-agent that works again after its end was told works.
  const isHeardAgain =
    known !== undefined && known.status !== 'running' && /^(?:tool-starting|question|plan|permission|prompt)$/.test(signal.kind);
  if (known !== undefined && !isHeardAgain) return [];
  return [{ type: 'agent:spawned', data: { agent_id: agentId, role: signal.agentId === null ? agent : null } }];
}

function heard(signal: Signal, listening: Listening, agentId: string | null): Told[] {
  const { state, callId, holdMs } = listening;
  const who = agentId === null ? {} : { agent_id: agentId };
  if (isAsking(signal)) {
    const asked = decisionsOf(signal, { callId, timeoutMs: holdMs, agentId }).map((data): Told => ({ type: 'decision:point', data }));
    // Most agents say that the call starts before they ask; where the question is the first that is heard of it, it starts with that.
    const isNew =
      signal.kind !== 'permission' && signal.tool.id !== null && !(state?.tools ?? []).some((each) => each.tool_id === signal.tool.id);
    return isNew ? [toolStarted(signal, who), ...asked] : asked;
  }
  switch (signal.kind) {
    case 'session-started':
      return signal.how === 'compacted' ? [] : [{ type: 'agent:waiting', data: { ...who, reason: 'prompt' } }];
    case 'prompt':
      if (signal.by === 'agent') return [{ type: 'execution:progress', data: { message: 'it goes on by itself' } }];
      return [{ type: 'message:user', data: { ...who, text: toldText(signal.text, agentLimits.messageChars) } }];
    case 'tool-starting':
      return [toolStarted(signal, who)];
    case 'tool-ended':
      return [
        ...filesChanged(signal.files, who),
        { type: 'tool:completed', data: { ...callData(signal, who), result: toldValue(signal.result), ...durationOf(signal) } },
      ];
    case 'tool-failed': {
      const error = toldText(signal.error, agentLimits.toolTextChars);
      return [
        {
          type: 'tool:failed',
          data: { ...callData(signal, who), error, ...(signal.isInterrupted ? { interrupted: true } : {}), ...durationOf(signal) },
        },
      ];
    }
    case 'permission-denied':
      return [deniedCall(signal.tool, signal.reason, who)];
    case 'calls-over':
      return signal.calls
        .filter(({ tool }) => state?.tools.some((each) => each.status === 'running' && each.tool_id === tool.id) === true)
        .map(({ tool, result }) => deniedCall(tool, typeof result === 'string' ? result : 'it did not happen', who));
    case 'files-changed':
      return filesChanged(signal.files, who);
    case 'agent-started':
      return [
        {
          type: 'agent:spawned',
          data: { agent_id: signal.agentId, role: signal.role, task: signal.task === null ? null : toldText(signal.task, 500) },
        },
      ];
    case 'agent-ended':
      // One that nobody has heard of is of the agent's own making, as for the summary of its context.
      if (!(state?.agents ?? []).some((each) => each.agent_id === signal.agentId)) return [];
      return [
        ...said(signal.message, { agent_id: signal.agentId }),
        ...unheardEnds(state, signal.agentId),
        { type: 'agent:completed', data: { agent_id: signal.agentId, success: !signal.isFailed } },
      ];
    case 'waiting':
      return waited(signal, listening, who);
    case 'compacting': {
      const message = signal.isDone ? 'its context is compacted' : 'compacts its context';
      // A person may have asked for it while the agent is idle, and it is idle afterwards.
      const reason = isTurnOver(state) ? (state?.waiting?.reason ?? 'idle') : undefined;
      return [
        reason === undefined
          ? { type: 'execution:progress', data: { message } }
          : { type: 'agent:waiting', data: { ...who, reason, message } },
      ];
    }
    case 'message':
      return said(signal.text, who);
    case 'turn-ended':
      return [...said(signal.message, who), ...unheardEnds(state, agentId), ...turnEnded(signal, listening, who)];
    case 'turn-failed': {
      const error = toldText(signal.error, agentLimits.toolTextChars);
      if (signal.agentId !== null)
        return [...said(error, who), { type: 'agent:completed', data: { agent_id: signal.agentId, success: false } }];
      return [...unheardEnds(state, agentId), { type: 'agent:waiting', data: { ...who, reason: 'error', message: error } }];
    }
    case 'usage': {
      const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costUsd, model } = signal;
      const tokens = {
        input_tokens: inputTokens,
        output_tokens: outputTokens,
        cache_read_tokens: cacheReadTokens,
        cache_write_tokens: cacheWriteTokens,
      };
      return [{ type: 'usage:reported', data: { ...who, ...tokens, model, ...(costUsd === null ? {} : { cost_usd: costUsd }) } }];
    }
    case 'session-ended':
      return sessionEnded(signal, listening);
    case 'settings-changed':
    case 'other':
      // A sign of life, which only a session that was given up for lost needs to have told.
      return state?.status === 'lost' ? [{ type: 'execution:progress', data: {} }] : [];
  }
}

function said(text: string | null, who: object): Told[] {
  if (text === null || text.trim() === '') return [];
  return [{ type: 'message:assistant', data: { ...who, text: toldText(text, agentLimits.messageChars) } }];
}

/** The turn is over. The agent is idle only where nothing of it works any more. */
function turnEnded({ background, message }: SignalOf<'turn-ended'>, { state, self }: Listening, who: object): Told[] {
  const tasks = (background ?? []).map(({ id, type, description }) => ({ id, type, description: toldText(description, 200) }));
  const agents = (state?.agents ?? []).filter((each) => each.status === 'running' && each.agent_id !== self).map((each) => each.agent_id);
  if (tasks.length + agents.length === 0) {
    return [{ type: 'agent:waiting', data: { ...who, reason: 'idle', message: message === null ? null : toldText(message, 500) } }];
  }
  const untold = agents.filter((agentId) => !tasks.some(({ id }) => id === agentId));
  const names = [...tasks.map(({ description, type }) => (description === '' ? type : description)), ...untold];
  const listed = toldText(names.slice(0, 5).join(', '), 500);
  return [
    {
      type: 'execution:progress',
      data: { message: `its turn is over; ${names.length} in the background: ${listed}`, background: tasks.slice(0, 50) },
    },
  ];
}

function waited(signal: SignalOf<'waiting'>, { state, self }: Listening, who: object): Told[] {
  const message = signal.message === null ? null : toldText(signal.message, 500);
  if (signal.reason !== 'idle') return [{ type: 'agent:waiting', data: { ...who, reason: signal.reason, message } }];
  // The agent has said so itself already.
  if (signal.agentId === null && self === null && isTurnOver(state)) return [];
  const ended = (state?.agents ?? [])
    .filter((each) => each.status === 'running' && each.agent_id !== self && signal.agentId === null)
    .map(({ agent_id }): Told => ({ type: 'agent:completed', data: { agent_id, inferred: true } }));
  return [
    ...unheardEnds(state, signal.agentId ?? self),
    ...ended,
    { type: 'agent:waiting', data: { ...who, reason: 'idle', message, inferred: true } },
  ];
}

function sessionEnded({ reason }: SignalOf<'session-ended'>, { state, self, isOwnSession, agent }: Listening): Told[] {
  const why = reason === null ? {} : { reason: toldText(reason, 200) };
  if (!isOwnSession) {
    const told = reason === null ? '' : ` (${toldText(reason, 200)})`;
    if (self !== null) return [{ type: 'agent:completed', data: { agent_id: self } }];
    return [{ type: 'execution:progress', data: { message: `${agent} has ended${told}` } }];
  }
  if (state === undefined || isEnded(state.status)) return [];
  if (state.waiting?.reason === 'error')
    return [{ type: 'execution:failed', data: { error: state.waiting.message ?? 'its last turn failed' } }];
  if (worksOn(state)) {
    const error = `It was ended${reason === null ? '' : ` (${toldText(reason, 200)})`} while it worked`;
    return [{ type: 'execution:failed', data: { error } }];
  }
  return [{ type: 'execution:completed', data: { result: why } }];
}
