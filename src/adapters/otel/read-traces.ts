import { attributesOf, timeOfNanos, type TracesRequest } from './otlp-request.ts';
import { count, idOf, name, sessionOf, withCacheInInput, type ReadTelemetry } from './told-usage.ts';

/** Spans of one request to a model, by `gen_ai.operation.name`. Those around them, as of an agent, have its sums again. */
const modelCalls: ReadonlySet<unknown> = new Set(['chat', 'generate_content', 'text_completion', 'embeddings']);

/** The coding agents whose log records are read: their spans would tell the same once more. */
const logged = /^(?:claude-code|codex|gemini-cli)/;

/**
 * The usage in spans by the GenAI conventions, as programs send them that call models themselves. The session is the one that
 * `gen_ai.conversation.id` names, or `session.id`; spans that name none are let go.
 */
export function readTraces({ resourceSpans }: TracesRequest): ReadTelemetry {
  const usage = resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const shared = resource?.attributes ?? [];
    if (logged.test(String(attributesOf(shared).get('service.name')))) return [];
    return scopeSpans.flatMap(({ spans }) =>
      spans.flatMap((span) => {
        const attributes = attributesOf(shared, span.attributes);
        const session = sessionOf(undefined, name(attributes, 'gen_ai.conversation.id', 'session.id'));
        if (session === undefined || !modelCalls.has(attributes.get('gen_ai.operation.name'))) return [];
        const until = timeOfNanos(span.endTimeUnixNano);
        const tokens = withCacheInInput(count(attributes, 'gen_ai.usage.input_tokens'), count(attributes, 'gen_ai.usage.output_tokens'), {
          read: count(attributes, 'gen_ai.usage.cache_read.input_tokens'),
          write: count(attributes, 'gen_ai.usage.cache_creation.input_tokens'),
        });
        const data = {
          model: name(attributes, 'gen_ai.response.model', 'gen_ai.request.model'),
          ...tokens,
          agent_id: name(attributes, 'gen_ai.agent.id'),
          agent_name: name(attributes, 'gen_ai.agent.name'),
          signal: 'traces' as const,
          since: timeOfNanos(span.startTimeUnixNano),
          until,
        };
        return [{ session, id: idOf('traces', session, span.traceId, span.spanId), timestamp: until, data }];
      }),
    );
  });
  return { usage, refused: undefined };
}
