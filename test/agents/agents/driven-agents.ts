import { claudeCode } from './claude-code.ts';
import { codex } from './codex.ts';
import type { DrivenAgent } from './driven-agent.ts';
import { gemini } from './gemini.ts';
import type { RunnableAgent } from './installed-agent.ts';
import { opencode } from './opencode.ts';

/** The agents that can be run here. */
export const drivenAgents: Readonly<Record<RunnableAgent, DrivenAgent>> = { 'claude-code': claudeCode, codex, gemini, opencode };
