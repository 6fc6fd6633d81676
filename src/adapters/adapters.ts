import type { Adapter } from './adapter.ts';
import type { CodingAgent } from './coding-agents.ts';
import { claudeCodeAdapter } from './claude-code/claude-code-adapter.ts';
import { codexAdapter } from './codex/codex-adapter.ts';
import { cursorAdapter } from './cursor/cursor-adapter.ts';
import { geminiAdapter } from './gemini/gemini-adapter.ts';
import { opencodeAdapter } from './opencode/opencode-adapter.ts';

/** The adapters, by agent. */
export const adapters: Readonly<Record<CodingAgent, Adapter>> = {
  'claude-code': claudeCodeAdapter,
  codex: codexAdapter,
  gemini: geminiAdapter,
  cursor: cursorAdapter,
  opencode: opencodeAdapter,
};
