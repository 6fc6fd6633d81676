import type { AgentState, SessionState } from '../../core/protocol/session-state.ts';
import { count, durationSince, finishedDuration } from '../text/numbers.ts';
import type { PanelItem, PanelList } from './panel.ts';
import { shown } from '../text/shown-text.ts';
import type { Tone } from '../cells.ts';
import type { Style } from '../style.ts';

type AgentWord = 'waiting' | 'running' | 'failed' | 'lost' | 'done';

const order: Record<AgentWord, number> = { waiting: 0, running: 1, failed: 2, lost: 3, done: 4 };
const tones: Record<AgentWord, Tone> = { waiting: 'warn', running: 'active', failed: 'bad', lost: 'warn', done: 'good' };

/** The agents of a session: those that wait for a person first, then running, failed, lost and done ones. */
export function agentsPanel(state: SessionState): PanelList {
  const waiting = new Set(state.decisions.filter((each) => each.status === 'open').map((each) => each.agent_id));
  const wordOf = (agent: AgentState): AgentWord => {
    if (agent.status === 'running') return waiting.has(agent.agent_id) || agent.waiting !== null ? 'waiting' : 'running';
    return agent.status === 'completed' ? 'done' : agent.status;
  };
  const agents = state.agents
    .map((agent) => ({ agent, word: wordOf(agent) }))
    .sort((a, b) => order[a.word] - order[b.word] || b.agent.updated_at.localeCompare(a.agent.updated_at));
  const atWork = agents.filter(({ word }) => word === 'running' || word === 'waiting').length;
  return {
    title: agents.length === 0 ? 'Agents' : `Agents ${atWork}/${agents.length + state.let_go.agents}`,
    items: agents.map(({ agent, word }) => agentItem(agent, word)),
    empty: 'No agent yet; agent:spawned adds one',
    summary: agents.length === 0 ? [] : [{ text: `${atWork} at work, ${agents.length - atWork} finished` }],
    letGo: state.let_go.agents,
  };
}

function agentItem(agent: AgentState, word: AgentWord): PanelItem {
  const name = shown(agent.agent_id);
  const doing =
    word === 'waiting'
      ? ['waiting', agent.waiting === null ? 'decision' : shown(agent.waiting.message ?? agent.waiting.reason ?? '')]
          .filter(Boolean)
          .join(': ')
      : [word, shown(agent.message ?? agent.task ?? agent.role ?? '')].filter(Boolean).join(': ');
  return {
    key: agent.agent_id,
    cells: (style) => [
      { text: glyphOf(word, style), width: 1, tone: tones[word] },
      { text: name, width: { oneOf: 3, least: 8, most: 16 } },
      { text: doing, tone: word === 'running' ? 'plain' : tones[word] },
      { text: lasted(agent, style), width: 6, align: 'right', optional: true },
    ],
    detail: (style) => [
      ['agent', name],
      ['status', word],
      ['role', shown(agent.role ?? '')],
      ['task', shown(agent.task ?? '', 2_000)],
      ['skill', shown(agent.skill_name ?? '')],
      ['progress', agent.progress === null ? '' : `${Math.round(agent.progress)}%`],
      ['message', shown(agent.message ?? '', 2_000)],
      ['tokens', agent.tokens === null ? '' : count(agent.tokens)],
      ['cost', agent.cost_usd === null ? '' : `$${agent.cost_usd.toFixed(2)}`],
      ['time', lasted(agent, style)],
      ['started', agent.started_at],
    ],
    copy: `${name} ${doing}`,
  };
}

function glyphOf(word: AgentWord, style: Style): string {
  const { waiting, running, failed, away: lost, done } = style.glyphs;
  return { waiting, running, failed, lost, done }[word];
}

function lasted(agent: AgentState, style: Style): string {
  return agent.status === 'running' ? durationSince(agent.started_at, style.nowMs) : finishedDuration(agent.duration_ms);
}
