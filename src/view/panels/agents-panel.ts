import type { AgentState, SessionState } from '../../core/protocol/session-state.ts';
import { callText, runningCalls } from '../agents/agent-session.ts';
import { agentTree } from '../agents/agent-tree.ts';
import { count, durationSince, finishedDuration } from '../text/numbers.ts';
import { costText, tokensText, usedOf, usedText } from '../text/usage-text.ts';
import type { PanelItem, PanelList } from './panel.ts';
import { shown } from '../text/shown-text.ts';
import type { Tone } from '../cells.ts';
import type { Style } from '../style.ts';

type AgentWord = 'waiting' | 'running' | 'failed' | 'lost' | 'done';

const order: Record<AgentWord, number> = { waiting: 0, failed: 1, running: 2, lost: 3, done: 4 };
const tones: Record<AgentWord, Tone> = { waiting: 'warn', running: 'active', failed: 'bad', lost: 'warn', done: 'good' };

/** The agents of a session: those that wait for a person first, then failed, running, lost and done ones; those that one began below it. */
export function agentsPanel(state: SessionState): PanelList {
  const asked = new Map(state.decisions.filter((each) => each.status === 'open').map((each) => [each.agent_id, each.question]));
  // Of several calls of an agent the first one is told.
  const calls = new Map(
    runningCalls(state)
      .toReversed()
      .map((call) => [call.agent_id, callText(call)]),
  );
  const wordOf = (agent: AgentState): AgentWord => {
    if (agent.status === 'running') return asked.has(agent.agent_id) || agent.waiting !== null ? 'waiting' : 'running';
    return agent.status === 'completed' ? 'done' : agent.status;
  };
  const words = new Map(state.agents.map((agent) => [agent.agent_id, wordOf(agent)]));
  const orderOf = (agent: AgentState): number => order[words.get(agent.agent_id) ?? 'done'];
  const agents = agentTree(state.agents.toSorted((a, b) => orderOf(a) - orderOf(b) || b.updated_at.localeCompare(a.updated_at)));
  const atWork = agents.filter(({ agent }) => agent.status === 'running').length;
  const used = usedText(usedOf(state));
  const told: Told = {
    progress: agents.some(({ agent }) => agent.progress !== null && agent.status !== 'completed'),
    tokens: agents.some(({ agent }) => agent.tokens !== null),
    cost: agents.some(({ agent }) => agent.cost_usd !== null),
  };
  const said = [
    ...(state.model === null || used === '' ? [] : [shown(state.model, 40)]),
    ...(agents.length === 0 ? [] : [`${atWork} at work, ${agents.length - atWork} finished`]),
  ];
  const title = agents.length === 0 ? 'Agents' : `Agents ${atWork}/${agents.length + state.let_go.agents}`;
  return {
    title: used === '' ? title : `${title}  ${used}`,
    items: agents.map(({ agent, depth }) => {
      const word = words.get(agent.agent_id) ?? 'done';
      return agentItem(agent, word, doingOf(agent, word, asked.get(agent.agent_id), calls.get(agent.agent_id)), depth, told);
    }),
    empty: 'none; agents at work show here',
    summary: said.length === 0 ? [] : [{ text: said.join('  ') }],
    letGo: state.let_go.agents,
  };
}

/** What any of the agents tells: what none tells has no column. */
interface Told {
  progress: boolean;
  tokens: boolean;
  cost: boolean;
}

/** What an agent waits for, or does, or did last. The text is clean. */
function doingOf(agent: AgentState, word: AgentWord, question: string | undefined, call: string | undefined): string {
  const { waiting, message, task, role } = agent;
  if (word !== 'waiting') return [word, call ?? shown(message ?? task ?? role ?? '')].filter(Boolean).join(': ');
  const waitsFor = question === undefined ? shown(waiting?.message ?? waiting?.reason ?? 'you') : `decision: ${shown(question)}`;
  return `waiting: ${waitsFor}`;
}

function agentItem(agent: AgentState, word: AgentWord, doing: string, depth: number, told: Told): PanelItem {
  const name = shown(agent.agent_id);
  const progress = agent.progress === null || word === 'done' ? '' : `${Math.round(agent.progress)}%`;
  return {
    key: agent.agent_id,
    cells: (style) => [
      { text: glyphOf(word, style), width: 1, tone: tones[word] },
      { text: `${'  '.repeat(depth)}${name}`, width: { oneOf: 4, least: 10, most: 20 } },
      { text: doing, tone: word === 'running' ? 'plain' : tones[word] },
      ...(told.progress ? [{ text: progress, width: 4, align: 'right' as const, optional: { below: 34 } }] : []),
      ...(told.tokens ? [{ text: tokensText(agent.tokens), width: 5, align: 'right' as const, optional: { below: 40 } }] : []),
      ...(told.cost ? [{ text: costText(agent.cost_usd), width: 6, align: 'right' as const, optional: { below: 46 } }] : []),
      { text: lasted(agent, style), width: 6, align: 'right', optional: { below: 70 } },
    ],
    detail: (style) => [
      ['agent', name],
      ['begun by', shown(agent.parent_agent_id ?? '')],
      ['status', word],
      ['doing', doing],
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
