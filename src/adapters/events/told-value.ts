import { agentLimits } from '../../core/protocol/limits.ts';
import { cutText } from '../../core/text/cut-text.ts';
import { Redaction } from '../../core/text/redaction.ts';

const redaction = new Redaction({ hasBuiltIn: true, finders: [] });

/** A text as it is journalled: without secrets, well-formed, at most so long; the number of the characters left out is told. */
export function toldText(text: string, maxChars: number): string {
  // Looked at beyond the cut, so that a secret that is cut in two is still known as one.
  const clean = redaction.text(cutText(text, maxChars * 2).toWellFormed());
  if (text.length <= maxChars && clean.length <= maxChars) return clean;
  return `${cutText(clean, maxChars)}… (${(text.length - maxChars).toLocaleString('en')} more characters)`;
}

/** An input or a result of a tool call as it is journalled: each text and list cut, secrets replaced, the whole at most `toolChars` long. */
export function toldValue(value: unknown): unknown {
  const told = cut(value, 0);
  const json = JSON.stringify(told) as string | undefined;
  if (json === undefined) return null;
  return json.length <= agentLimits.toolChars ? told : toldText(json, agentLimits.toolChars);
}

function cut(value: unknown, depth: number): unknown {
  const { toolTextChars, toolFields, toolDepth } = agentLimits;
  if (typeof value === 'string') return toldText(value, toolTextChars);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= toolDepth) return '…';
  if (Array.isArray(value)) {
    const more = value.length - toolFields;
    const items = value.slice(0, toolFields).map((each) => cut(each, depth + 1));
    return more > 0 ? [...items, `… (${more} more)`] : items;
  }
  const fields = Object.entries(value).slice(0, toolFields);
  return Object.fromEntries(fields.map(([key, each]) => [toldText(key, 200), cut(each, depth + 1)]));
}
