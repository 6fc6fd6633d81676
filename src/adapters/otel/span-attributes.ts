import type { Usage } from '../../core/protocol/agent-activity.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { cutText } from '../../core/text/cut-text.ts';
import { Redaction } from '../../core/text/redaction.ts';
import type { SpanAttributes } from './traced-span.ts';

/** Characters of what was said, given to a tool or came out of it. */
const longestContent = 4_096;
const longestName = 200;
/** Patterns are looked for in so much of a text: it is cut to less. */
const longestRead = 4 * longestContent;
const redaction = new Redaction({ hasBuiltIn: true, finders: [] });

/** A text of a session as it leaves this server: without secrets, and not longer than a name is. */
export function nameText(text: string): string {
  return contentText(text, longestName);
}

/** What was said, or what went into a tool or came out of it. Anything but a text is sent as JSON. */
export function contentText(value: unknown, longest = longestContent): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return cutText(redaction.text(cutText(text, longestRead)), longest);
}

/** Attributes of every span of a session, for backends that group by one or another of them. */
export function sessionAttributes(sessionId: string, kind: 'CHAIN' | 'AGENT' | 'TOOL'): SpanAttributes {
  return { 'gen_ai.conversation.id': sessionId, 'session.id': sessionId, 'openinference.span.kind': kind };
}

/** Tokens by the names of the GenAI conventions, in whose input those of the cache are, and of OpenInference; and the cost. */
export function usageAttributes(usage: Usage | undefined): SpanAttributes {
  if (usage === undefined || usage.reports === 0) return {};
  const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_usd } = usage;
  const input = input_tokens + cache_read_tokens + cache_write_tokens;
  return {
    'gen_ai.usage.input_tokens': input,
    'gen_ai.usage.output_tokens': output_tokens,
    'gen_ai.usage.cache_read.input_tokens': cache_read_tokens,
    'gen_ai.usage.cache_creation.input_tokens': cache_write_tokens,
    'llm.token_count.prompt': input,
    'llm.token_count.completion': output_tokens,
    'llm.token_count.total': input + output_tokens,
    'shannon.cost_usd': cost_usd,
  };
}

const providers: readonly [RegExp, string][] = [
  [/^claude/, 'anthropic'],
  [/^(?:gpt|o\d|codex)/, 'openai'],
  [/^gemini/, 'gcp.gemini'],
];

/** Whose models a session uses, and which one, as far as it is one only. */
export function modelAttributes({ usage_by_model }: SessionState): SpanAttributes {
  const names = new Set(usage_by_model.map(({ model }) => providers.find(([pattern]) => pattern.test(model))?.[1]));
  const [provider] = names;
  const [only, another] = usage_by_model;
  return {
    ...(provider === undefined || names.size > 1 ? {} : { 'gen_ai.provider.name': provider }),
    ...(only === undefined || another !== undefined ? {} : { 'gen_ai.request.model': nameText(only.model) }),
  };
}
