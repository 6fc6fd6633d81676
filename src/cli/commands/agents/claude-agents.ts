import { execFile } from 'node:child_process';
import { z } from 'zod';
import { agentSessionId } from '../../../adapters/agent-session-id.ts';
import { check } from '../../../core/json/parse.ts';
import type { AgentRow } from '../../../view/agents/agent-session.ts';

/** Claude Code answers in half a second; one that does not is left out. */
const [answerMs, answerBytes] = [3_000, 1024 * 1024];
const mostRows = 200;

const text = z.string().nullish();
/** What `claude agents --json` prints of a session, as of 2.1. */
const listed = z.array(
  z.looseObject({
    sessionId: text,
    cwd: text,
    name: text,
    kind: text,
    startedAt: z.number().nullish(),
    /** Of one at a terminal: `busy`, `idle`. */
    status: text,
    /** Of one in the background: `working`, `blocked`, `done`, `failed`, `stopped`. */
    state: text,
    waitingFor: text,
  }),
);

/**
 * The sessions that Claude Code itself lists, where it is on the PATH: those of before its hooks were installed tell us nothing. Its
 * program is started without a shell, and is given little time. None where there is no such program, or it answers otherwise.
 */
export async function claudeAgents(): Promise<AgentRow[]> {
  const output = await new Promise<string>((resolve) => {
    // On Windows the working folder, which may be a stranger's, is looked into before the PATH.
    if (process.platform === 'win32') resolve('');
    else
      execFile('claude', ['agents', '--json'], { timeout: answerMs, maxBuffer: answerBytes, killSignal: 'SIGKILL' }, (error, stdout) =>
        resolve(error === null ? stdout : ''),
      );
  });
  const rows = check(listed, parsed(output));
  return rows.success ? rows.data.slice(0, mostRows).flatMap(rowOf) : [];
}

function parsed(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}

function rowOf({ sessionId, cwd, name, startedAt, status, state, waitingFor }: z.output<typeof listed>[number]): AgentRow[] {
  const id = sessionId === undefined || sessionId === null ? undefined : agentSessionId('claude-code', sessionId);
  const begun = new Date(startedAt ?? Number.NaN);
  if (id === undefined || Number.isNaN(begun.getTime())) return [];
  const since = begun.toISOString();
  const isWaiting = state === 'blocked' || (state ?? status) === 'idle';
  const ended = { done: 'completed', failed: 'failed', stopped: 'completed' } as const;
  return [
    {
      session_id: id,
      agent: 'claude-code',
      state: Object.hasOwn(ended, state ?? '') ? ended[state as keyof typeof ended] : isWaiting ? 'waits' : 'works',
      since,
      task: name ?? null,
      doing: null,
      waiting_for: isWaiting ? (waitingFor ?? 'a prompt') : null,
      model: null,
      folder: cwd?.split('/').findLast((each) => each !== '') ?? null,
      branch: null,
      tokens: null,
      cost_usd: null,
      files: 0,
      sub_agents: 0,
      updated_at: since,
    },
  ];
}
