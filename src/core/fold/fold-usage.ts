import type { SessionEvent } from '../protocol/event.ts';
import { foldLimits } from '../protocol/limits.ts';
import { noUsage, type Usage } from '../protocol/agent-activity.ts';
import type { SessionState } from '../protocol/session-state.ts';
import { numberOf, sum, textField, type Data } from './fold-values.ts';

/** `usage:reported`: what was used since the last report is added to the totals of the session, the model and the agent. */
export function foldUsage(state: SessionState, { data }: SessionEvent): Partial<SessionState> {
  const model = textField(data, 'model');
  const agentId = textField(data, 'agent_id');
  const usage_by_agent =
    agentId === null ? state.usage_by_agent : addedTo(state.usage_by_agent, 'agent_id', agentId, data, foldLimits.usageByAgent);
  const total = usage_by_agent.find((each) => each.agent_id === agentId);
  return {
    usage: added(state.usage, data),
    usage_by_model: model === null ? state.usage_by_model : addedTo(state.usage_by_model, 'model', model, data, foldLimits.usageByModel),
    usage_by_agent,
    ...(total === undefined ? {} : { agents: withTotal(state.agents, total) }),
  };
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
