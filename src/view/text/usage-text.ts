import type { SessionState } from '../../core/protocol/session-state.ts';
import { shortCount } from './numbers.ts';

/** Tokens and dollars; null: nobody tells of them. */
export interface Used {
  tokens: number | null;
  costUsd: number | null;
}

/** What a session has used: what it was told to have used, or the sum of what its agents say. */
export function usedOf({ usage, agents }: Pick<SessionState, 'usage' | 'agents'>): Used {
  if (usage.reports === 0) {
    return { tokens: sumOf(agents.map(({ tokens }) => tokens)), costUsd: sumOf(agents.map(({ cost_usd }) => cost_usd)) };
  }
  return { tokens: usage.input_tokens + usage.output_tokens, costUsd: usage.cost_usd === 0 ? null : usage.cost_usd };
}

/** The sum of what several have used. */
export function usedTogether(all: readonly Used[]): Used {
  return { tokens: sumOf(all.map(({ tokens }) => tokens)), costUsd: sumOf(all.map(({ costUsd }) => costUsd)) };
}

/** `271k tokens  $1.24`, without what nobody tells. */
export function usedText({ tokens, costUsd }: Used): string {
  return [tokens === null ? '' : `${shortCount(tokens)} tokens`, costText(costUsd)].filter((each) => each !== '').join('  ');
}

/** `271k`. */
export function tokensText(tokens: number | null): string {
  return tokens === null ? '' : shortCount(tokens);
}

/** Dollars: $0.42, $12.40, $1.2k. */
export function costText(usd: number | null): string {
  if (usd === null) return '';
  return usd < 1_000 ? `$${usd.toFixed(2)}` : `$${shortCount(usd)}`;
}

function sumOf(numbers: readonly (number | null)[]): number | null {
  return numbers.reduce((sum, each) => (each === null ? sum : (sum ?? 0) + each), null);
}
