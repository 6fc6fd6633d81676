import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { isLive, type SessionState } from '../../../core/protocol/session-state.ts';
import { agentRow, isAgentSession, shortId, type AgentRow, type AgentStanding } from '../../../view/agents/agent-session.ts';
import { durationSince, shortCount } from '../../../view/text/numbers.ts';
import { shown } from '../../../view/text/shown-text.ts';
import type { Invocation } from '../../invocation.ts';
import { withReachedJournal } from '../../server-access/journal-reader.ts';
import { byChange } from '../../server-access/live-sessions.ts';
import { request, serverNowMs } from '../../server-access/server-request.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Output, Tone } from '../../terminal/output.ts';
import { tableLines } from '../../terminal/table.ts';
import { claudeAgents } from './claude-agents.ts';
import type { AgentsOptions } from './definition.ts';

const lookedAtByDefault = 50;
/** Sessions that are asked for at a time. */
const atATime = 8;

/** A row, and whether the agent itself tells us what it does. */
type ListedAgent = AgentRow & { hooked: boolean };

const order: Record<AgentStanding, number> = {
  asks: 0,
  waits: 1,
  halting: 2,
  halted: 2,
  lost: 3,
  failed: 4,
  works: 5,
  starts: 6,
  completed: 7,
};
const tones: Partial<Record<AgentStanding, Tone>> = {
  asks: 'warn',
  waits: 'warn',
  halting: 'warn',
  halted: 'warn',
  lost: 'bad',
  failed: 'bad',
};

/** Lists the sessions of agents, those that need a person first. */
export async function listAgents({ options, output, settings: given }: Invocation<AgentsOptions>): Promise<void> {
  const settings = await withReachedJournal(given, output);
  const known = claudeAgents();
  const answer = await request(settings, 'sessions', {});
  const passing = answer.sessions.filter(({ status }) => options.all === true || isLive(status) || status === 'lost').toSorted(byChange);
  const looked = passing.slice(0, options.limit ?? lookedAtByDefault);
  const states = await statesOf(
    looked.map(({ session_id }) => session_id),
    settings,
  );
  const hooked = states.filter(isAgentSession).map((state): ListedAgent => ({ ...agentRow(state), hooked: true }));
  const heard = new Set(answer.sessions.map(({ session_id }) => session_id));
  const others = (await known)
    .filter(({ session_id, state }) => !heard.has(session_id) && (options.all === true || (state !== 'completed' && state !== 'failed')))
    .map((row): ListedAgent => ({ ...row, hooked: false }));
  const agents = [...hooked, ...others].toSorted((a, b) => order[a.state] - order[b.state] || b.since.localeCompare(a.since));
  const left = passing.length - looked.length;
  if (output.isJson) {
    output.document({ agents, sessions_not_looked_at: left });
    return;
  }
  if (agents.length === 0) output.note('no agent is at work; let one tell what it does: shannon-dash hook install claude-code');
  else for (const line of await lines(agents, serverNowMs(answer), output)) output.line(line);
  if (left > 0) output.note(`${left} older sessions were not looked at: --limit ${passing.length}`);
}

/** The states of sessions, without those that are deleted meanwhile. */
async function statesOf(ids: readonly string[], settings: Settings): Promise<SessionState[]> {
  const found: SessionState[] = [];
  for (let at = 0; at < ids.length; at += atATime) {
    const asked = ids.slice(at, at + atATime).map((id) => request(settings, 'session', { path: { id } }).catch(absent));
    for (const state of await Promise.all(asked)) if (state !== undefined) found.push(state);
  }
  return found;
}

function absent(error: unknown): undefined {
  if (!(error instanceof ShannonDashError) || error.code !== 'NOT_FOUND') throw error;
}

function lines(agents: readonly ListedAgent[], nowMs: number, output: Output): Promise<string[]> {
  const rows = agents.map((each) => [
    shortId(each.session_id),
    { text: each.hooked ? each.state : `${each.state}, not hooked`, tone: tones[each.state] ?? 'plain' },
    durationSince(each.since, nowMs),
    each.tokens === null ? '-' : shortCount(each.tokens),
    each.cost_usd === null ? '-' : `$${each.cost_usd.toFixed(2)}`,
    each.files === 0 ? '-' : String(each.files),
    shown([each.folder, each.branch].filter((part) => part !== null).join('@') || '-', 30),
    shown(each.task ?? '-', 40),
    shown(each.waiting_for === null ? (each.doing ?? '') : `for ${each.waiting_for}`, 60),
  ]);
  return tableLines(['AGENT', 'STATE', 'FOR', 'TOKENS', 'COST', 'FILES', 'WHERE', 'TASK', 'NOW'], rows, output);
}
