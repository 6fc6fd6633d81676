import { createHash } from 'node:crypto';
import type { EventData } from '../../core/protocol/event-table.ts';
import { cutText } from '../../core/text/cut-text.ts';
import { isSessionId } from '../../core/ids.ts';
import { agentSessionId } from '../agent-session-id.ts';
import type { CodingAgent } from '../coding-agents.ts';
import type { Attributes } from './otlp-request.ts';

/** A report of usage for the journal of a session. The same telemetry sent again has the same id. */
export interface ToldUsage {
  session: string;
  id: string;
  /** ISO 8601 UTC with milliseconds. Absent where the telemetry has no time. */
  timestamp: string | undefined;
  data: EventData<'usage:reported'>;
}

/** What was read in a request, and what could not be: how many, and why, with the setting that helps. */
export interface ReadTelemetry {
  usage: ToldUsage[];
  refused: { count: number; reason: string } | undefined;
}

/** Tokens that do not overlap. */
export interface Tokens {
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
}

const longestName = 200;

/** A number of an attribute; 0 where there is none, or a negative one. */
export function count(attributes: Attributes, name: string): number {
  const number = Number(attributes.get(name) ?? 0);
  return Number.isFinite(number) && number > 0 ? number : 0;
}

/** A name in an attribute, cut to what a name can be. */
export function name(attributes: Attributes, ...names: string[]): string | undefined {
  for (const each of names) {
    const value = attributes.get(each);
    if (typeof value === 'string' && value !== '') return cutText(value, longestName);
  }
  return undefined;
}

/** Tokens of a model whose input includes what it had in its cache. */
export function withCacheInInput(input: number, output: number, { read, write = 0 }: { read: number; write?: number }): Tokens {
  return {
    input_tokens: Math.max(0, input - read - write),
    output_tokens: output,
    cache_read_tokens: read,
    cache_write_tokens: write,
  };
}

/** The session of an agent, or, without an agent, the session of that id itself; undefined where there can be none of it. */
export function sessionOf(agent: CodingAgent | undefined, id: string | undefined): string | undefined {
  if (id === undefined) return undefined;
  return agent === undefined ? (isSessionId(id) ? id : undefined) : agentSessionId(agent, id);
}

/** The id of the event of a piece of telemetry: one for everything that makes it what it is. */
export function idOf(...identity: unknown[]): string {
  return `telemetry:${createHash('sha256').update(JSON.stringify(identity)).digest('base64url').slice(0, 27)}`;
}

/** Attributes in an order that does not depend on how they were sent. */
export function ordered(attributes: Attributes): [string, string | number | boolean][] {
  return [...attributes].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
