import type { CodingAgent } from '../../../../adapters/coding-agents.ts';
import { claudeCode } from './claude-code.ts';
import { codex } from './codex.ts';
import { cursor } from './cursor.ts';
import { gemini } from './gemini.ts';
import type { HookedAgent } from './hooked-agent.ts';

/** The agents whose hooks stand in a file of settings; OpenCode loads a plugin. */
export const hookedAgents: Readonly<Record<Exclude<CodingAgent, 'opencode'>, HookedAgent>> = {
  'claude-code': claudeCode,
  codex,
  gemini,
  cursor,
};
