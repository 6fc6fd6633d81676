import type { CodingAgent } from '../coding-agents.ts';
import { attributesOf, timeOfNanos, type Attributes, type LogsRequest } from './otlp-request.ts';
import { count, idOf, name, ordered, sessionOf, withCacheInInput, type ReadTelemetry, type Tokens, type ToldUsage } from './told-usage.ts';

/** How an agent logs one request to a model. */
interface RequestLog {
  agent: CodingAgent;
  /** The attribute that holds the id of the agent's session. */
  session: string;
  tokens: (attributes: Attributes) => Tokens;
  /** Whether this record tells tokens at all; absent: it does. */
  isOne?: (attributes: Attributes) => boolean;
}

/** By the name of the event. Claude Code 2.1 says it in the body too, with its own name before it. */
const requestLogs: ReadonlyMap<unknown, RequestLog> = new Map(
  Object.entries<RequestLog>({
    'claude_code.api_request': {
      agent: 'claude-code',
      session: 'session.id',
      tokens: (attributes) => ({
        input_tokens: count(attributes, 'input_tokens'),
        output_tokens: count(attributes, 'output_tokens'),
        cache_read_tokens: count(attributes, 'cache_read_tokens'),
        cache_write_tokens: count(attributes, 'cache_creation_tokens'),
      }),
    },
    'codex.sse_event': {
      agent: 'codex',
      session: 'conversation.id',
      // Each request has two of these, and one of them the tokens.
      isOne: (attributes) => attributes.get('event.kind') === 'response.completed' && attributes.has('input_token_count'),
      tokens: (attributes) =>
        withCacheInInput(count(attributes, 'input_token_count'), count(attributes, 'output_token_count'), {
          read: count(attributes, 'cached_token_count'),
          write: count(attributes, 'cache_write_token_count'),
        }),
    },
    'gemini_cli.api_response': {
      agent: 'gemini',
      session: 'session.id',
      tokens: (attributes) =>
        withCacheInInput(
          count(attributes, 'input_token_count') + count(attributes, 'tool_token_count'),
          count(attributes, 'output_token_count') + count(attributes, 'thoughts_token_count'),
          { read: count(attributes, 'cached_content_token_count') },
        ),
    },
  }),
);

/** The usage in the log records of coding agents. Records of anything else are taken, and let go. */
export function readLogs({ resourceLogs }: LogsRequest): ReadTelemetry {
  const usage = resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords.flatMap(usageOf)));
  return { usage, refused: undefined };
}

function usageOf(record: LogsRequest['resourceLogs'][number]['scopeLogs'][number]['logRecords'][number]): ToldUsage[] {
  const attributes = attributesOf(record.attributes);
  const log = [record.body?.stringValue, attributes.get('event.name'), record.eventName]
    .map((each) => requestLogs.get(each))
    .find((each) => each !== undefined);
  if (log === undefined || log.isOne?.(attributes) === false) return [];
  const session = sessionOf(log.agent, name(attributes, log.session));
  if (session === undefined) return [];
  // Codex leaves the time of the event itself at 0.
  const timestamp = timeOfNanos(record.timeUnixNano) ?? timeOfNanos(record.observedTimeUnixNano);
  return [
    {
      session,
      id: idOf('logs', session, record.timeUnixNano, ordered(attributes)),
      timestamp,
      data: {
        model: name(attributes, 'model'),
        ...log.tokens(attributes),
        ...(attributes.has('cost_usd') ? { cost_usd: count(attributes, 'cost_usd') } : {}),
        agent_name: name(attributes, 'agent.name'),
        signal: 'logs',
        since: timestamp,
        until: timestamp,
      },
    },
  ];
}
