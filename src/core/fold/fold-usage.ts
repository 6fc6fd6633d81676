import type { SessionEvent } from '../protocol/event.ts';
import { foldLimits } from '../protocol/limits.ts';
import { noUsage, telemetrySignals, type Usage, type UsageSource } from '../protocol/agent-activity.ts';
import type { SessionState } from '../protocol/session-state.ts';
import { numberOf, sum, textField, type Data } from './fold-values.ts';

/** `usage:reported`: what was used since the last report is added to the totals of the session, the model and the agent. */
export function foldUsage(state: SessionState, { data }: SessionEvent): Partial<SessionState> | undefined {
  const usage_source = nextSource(state.usage_source, data);
  if (usage_source === undefined) return undefined;
  const model = textField(data, 'model');
  const agentId = textField(data, 'agent_id') ?? agentNamed(state, textField(data, 'agent_name'));
  const usage_by_agent =
    agentId === null ? state.usage_by_agent : addedTo(state.usage_by_agent, 'agent_id', agentId, data, foldLimits.usageByAgent);
  const total = usage_by_agent.find((each) => each.agent_id === agentId);
  return {
    usage_source,
    usage: added(state.usage, data),
    usage_by_model: model === null ? state.usage_by_model : addedTo(state.usage_by_model, 'model', model, data, foldLimits.usageByModel),
    usage_by_agent,
    ...(total === undefined ? {} : { agents: withTotal(state.agents, total) }),
  };
}

/** Whether a report is added to the totals of a session: something else may have told the same usage before. */
export function countsUsage(state: SessionState, data: Data): boolean {
  return nextSource(state.usage_source, data) !== undefined;
}

/**
 * An agent may tell one usage in several ways: as a log record of each request, and in its metrics. The first way counts. Another one
 * counts when all that it tells, from `since` to `until` by the agent's clock, is later than what was told so far. What a producer tells
 * itself has no such span of time: it and telemetry exclude each other.
 */
function nextSource(source: UsageSource | null, data: Data): UsageSource | undefined {
  const by = telemetrySignals.find((each) => each === data['signal']) ?? 'producer';
  const until = textField(data, 'until') ?? '';
  if (source === null) return { by, until };
  if (source.by !== by && (by === 'producer' || source.by === 'producer' || (textField(data, 'since') ?? '') <= source.until))
    return undefined;
  return { by, until: source.until > until ? source.until : until };
}

/** The agent that is meant by the name of its kind: the one that runs, or the only one. Where several could be, the name stands for all of them. */
function agentNamed(state: SessionState, name: string | null): string | null {
  if (name === null) return null;
  const alike = state.agents.filter(({ role }) => role === name);
  const running = alike.filter(({ status }) => status === 'running');
  const [only, another] = running.length === 0 ? alike : running;
  return only === undefined || another !== undefined ? name : only.agent_id;
}

/** The rows with a report added to the one of this name. A new name beyond the limit is left out: the session's total has it. */
function addedTo<Key extends string, Row extends Usage & Record<Key, string>>(
  rows: Row[],
  key: Key,
  name: string,
  data: Data,
  limit: number,
): Row[] {
  const at = rows.findIndex((row) => row[key] === name);
  if (at === -1 && rows.length >= limit) return rows;
  const next = rows.slice();
  next[at === -1 ? rows.length : at] = { [key]: name, ...added(rows[at] ?? noUsage(), data) } as unknown as Row;
  return next;
}

function added(usage: Usage, data: Data): Usage {
  const plus = (field: keyof Usage) => sum(usage[field], Math.max(0, numberOf(data, field) ?? 0));
  return {
    input_tokens: plus('input_tokens'),
    output_tokens: plus('output_tokens'),
    cache_read_tokens: plus('cache_read_tokens'),
    cache_write_tokens: plus('cache_write_tokens'),
    cost_usd: plus('cost_usd'),
    reports: usage.reports + 1,
  };
}

/** The agents, of which one has used so much so far. */
function withTotal(agents: SessionState['agents'], total: Usage & { agent_id: string }): SessionState['agents'] {
  const { agent_id, input_tokens, output_tokens, cost_usd } = total;
  const at = agents.findLastIndex((each) => each.agent_id === agent_id);
  const agent = agents[at];
  return agent === undefined ? agents : agents.with(at, { ...agent, tokens: sum(input_tokens, output_tokens), cost_usd });
}
