import type { CodingAgent } from '../../../../adapters/coding-agents.ts';
import type { Settings } from '../../../settings/settings.ts';
import type { HookScope } from '../agents/hooked-agent.ts';

/** Something that was looked at. `problem`: it keeps the hooks from working; `warning`: it may. */
export interface Finding {
  state: 'ok' | 'warning' | 'problem';
  /** A sentence without an end. */
  text: string;
  /** What to do about it. */
  hint?: string | undefined;
}

/** An installation that is looked at. */
export interface Patient {
  agent: CodingAgent;
  scope: HookScope;
  path: string;
  /** The handlers that stand there. */
  hooks: readonly Readonly<Record<string, unknown>>[];
  settings: Settings;
}

export const ok = (text: string): Finding => ({ state: 'ok', text });
export const warning = (text: string, hint?: string): Finding => ({ state: 'warning', text, hint });
export const problem = (text: string, hint?: string): Finding => ({ state: 'problem', text, hint });
