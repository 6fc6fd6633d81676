import type { ToolState } from '../../core/protocol/agent-activity.ts';
import { isLive, type SessionState } from '../../core/protocol/session-state.ts';
import { openDecisions } from '../decision-prompt.ts';
import { hasLostOrchestrator } from '../status-line.ts';
import { shown } from '../text/shown-text.ts';

/** How an agent stands: `asks` a question, `waits` for a person, `works`, or as its session stands. */
export type AgentStanding = 'asks' | 'waits' | 'works' | 'halting' | 'halted' | 'lost' | 'completed' | 'failed' | 'starts';

/** An agent's session in one row, for lists and for programs. */
export interface AgentRow {
  session_id: string;
  /** What kind of agent it is, as `claude-code`; null where nobody says it. */
  agent: string | null;
  state: AgentStanding;
  /** Since when, as a timestamp. */
  since: string;
  task: string | null;
  /** What it does now: the call that runs, what it said last. */
  doing: string | null;
  /** What it waits for; null while it works. */
  waiting_for: string | null;
  model: string | null;
  folder: string | null;
  branch: string | null;
  tokens: number | null;
  cost_usd: number | null;
  /** How many files it has changed, and how many sub-agents are at work. */
  files: number;
  sub_agents: number;
  updated_at: string;
}

/** Whether a session is that of an agent: something in it speaks, calls tools, uses tokens or waits for a person. */
export function isAgentSession({ agents, messages, tools, usage, waiting }: SessionState): boolean {
  return agents.length > 0 || messages.user + messages.assistant > 0 || tools.length > 0 || usage.reports > 0 || waiting !== null;
}

export function agentRow(state: SessionState): AgentRow {
  const { session_id, task, model, folder, branch, usage, updated_at, files, agents } = state;
  const { standing, since } = standingOf(state);
  return {
    session_id,
    agent: agentOf(state),
    state: standing,
    since,
    task,
    doing: doingOf(state),
    waiting_for: standing === 'asks' || standing === 'waits' ? waitingFor(state) : null,
    model,
    folder,
    branch,
    tokens: usage.reports === 0 ? null : usage.input_tokens + usage.output_tokens,
    cost_usd: usage.reports === 0 || usage.cost_usd === 0 ? null : usage.cost_usd,
    files: files.length + state.let_go.files,
    sub_agents: agents.filter((each) => each.status === 'running').length,
    updated_at,
  };
}

/** Whether the session's own agent, and all others of it, wait for a person. */
export function isWaiting(state: SessionState): boolean {
  return standingOf(state).standing === 'waits';
}

/** What the calls are that run now, each with what it is about: the session's own first, then those of sub-agents. */
export function runningCalls({ tools }: SessionState): ToolState[] {
  const running = tools.filter((each) => each.status === 'running');
  return running.toSorted((a, b) => Number(a.agent_id !== null) - Number(b.agent_id !== null));
}

/** A call in words: `Bash npm test`. The text is clean. */
export function callText({ tool_name, detail }: ToolState): string {
  return shown([tool_name, detail].filter((each) => each !== null).join(' '), 300);
}

const uuid = /^(.*[:._-])?([0-9a-f]{8}-[0-9a-f]{4})-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * The id of a session as people read it: of a UUID at its end only so much as tells it from others. A session can be named by the
 * beginning of its id, so this names it as well.
 */
export function shortId(sessionId: string): string {
  const [, before = '', start = '', version] = uuid.exec(sessionId) ?? [];
  if (start === '') return sessionId;
  // One of version 7 begins with the time: those of one minute have the same first part.
  return `${before}${version === '7' ? start : start.slice(0, 8)}`;
}

/** What kind of agent a session is of, as `claude-code`; null where nobody says it. */
export function agentOf({ session_id, labels }: Pick<SessionState, 'session_id' | 'labels'>): string | null {
  return labels.find((label) => session_id.startsWith(`${label}-`)) ?? null;
}

function standingOf(state: SessionState): { standing: AgentStanding; since: string } {
  const { status, halt, lost, ended_at, updated_at, created_at, started_at, waiting } = state;
  const [decision] = openDecisions(state);
  if (!isLive(status)) return { standing: status as 'lost' | 'completed' | 'failed', since: lost?.since ?? ended_at ?? updated_at };
  if (status === 'halted' || status === 'halting') return { standing: status, since: halt?.since ?? updated_at };
  if (decision !== undefined) return { standing: 'asks', since: decision.asked_at };
  if (status === 'created') return { standing: 'starts', since: created_at };
  const others = state.agents.filter((each) => each.status === 'running');
  const waitsItself = waiting ?? (others.length > 0 && state.messages.user === 0 ? others[0]?.waiting : null) ?? null;
  if (waitsItself !== null && runningCalls(state).length === 0 && others.every((each) => each.waiting !== null)) {
    return { standing: 'waits', since: waitsItself.since };
  }
  const last = state.messages.last_user?.at ?? started_at ?? created_at;
  return { standing: hasLostOrchestrator(state) ? 'lost' : 'works', since: last };
}

function doingOf(state: SessionState): string | null {
  if (state.status === 'failed') return state.error;
  const calls = runningCalls(state);
  const [first] = calls;
  if (first !== undefined) return calls.length === 1 ? callText(first) : `${callText(first)} (and ${calls.length - 1} more)`;
  return state.message ?? state.messages.last_assistant?.text ?? state.current_skill;
}

function waitingFor(state: SessionState): string {
  const [decision] = openDecisions(state);
  if (decision !== undefined) return decision.question;
  const waiting = state.waiting ?? state.agents.find((each) => each.waiting !== null)?.waiting;
  return waiting?.reason === 'idle' || waiting?.reason === 'prompt' ? 'a prompt' : (waiting?.message ?? waiting?.reason ?? 'you');
}
