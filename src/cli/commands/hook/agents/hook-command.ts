import type { CodingAgent } from '../../../../adapters/coding-agents.ts';
import { hookMarginMs, type HookEvent } from '../../../../adapters/adapter.ts';
import { defaultUrl } from '../../../settings/settings.ts';
import type { HookChoice } from './hooked-agent.ts';

/** Of the agent's time-out: what the relay leaves it for its own start and end. */
const relayMarginMs = 5_000;

/** How long the agent waits for a hook, in milliseconds: longer than the server and the relay do. */
export function agentTimeoutMs({ holdMs, mostMs = Infinity }: HookEvent): number {
  return Math.min(holdMs + hookMarginMs, mostMs);
}

/** The words with which an agent starts `hook AGENT` for an event. @param isStart whether it starts a server where none answers */
export function hookCommand(
  agent: CodingAgent,
  event: HookEvent,
  { url, program, isStrict, checkpoints }: HookChoice,
  isStart: boolean,
): string[] {
  const agentMs = agentTimeoutMs(event);
  return [
    ...program,
    'hook',
    agent,
    ...(url === defaultUrl ? [] : ['--url', url]),
    '--timeout',
    `${(agentMs - Math.min(relayMarginMs, agentMs / 3)) / 1_000}s`,
    ...(isStart ? ['--start'] : []),
    ...(isStrict && event.holdMs > 0 ? ['--strict'] : []),
    ...(checkpoints === undefined ? [] : ['--checkpoints', checkpoints]),
  ];
}

/** Words as one line for the shell of this system, which each is one word for. */
export function shellLine(words: readonly string[]): string {
  return words.map(process.platform === 'win32' ? quotedForCmd : quotedForSh).join(' ');
}

function quotedForSh(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function quotedForCmd(word: string): string {
  return /^[\w@+=:,./\\-]+$/.test(word) ? word : `"${word.replaceAll('"', '""')}"`;
}
