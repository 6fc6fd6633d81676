import { readFileSync } from 'node:fs';

/** What an agent has sent, but for the attributes of its machine. Claude Code 2.1, Codex 0.171, Gemini CLI 0.61. */
export function recorded(name: 'claude-code-logs' | 'claude-code-metrics' | 'codex-logs' | 'gemini-logs'): object {
  return JSON.parse(readFileSync(new URL(`./recorded/${name}.json`, import.meta.url), 'utf8')) as object;
}

/** The ids of the sessions in them, as shannon-dash names them, and what each says to have used. */
export const recordedUsage = {
  'claude-code': { input_tokens: 500, output_tokens: 100, cache_read_tokens: 250, cache_write_tokens: 35, cost_usd: 0.00534375 },
  codex: { input_tokens: 190, output_tokens: 40, cache_read_tokens: 10, cache_write_tokens: 0, cost_usd: 0 },
  gemini: { input_tokens: 190, output_tokens: 46, cache_read_tokens: 10, cache_write_tokens: 0, cost_usd: 0 },
} as const;
