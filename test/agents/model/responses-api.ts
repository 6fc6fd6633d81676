import type { ModelApi } from './conversation.ts';

interface Item {
  type?: string;
  role?: string;
  content?: string | { text?: string; encrypted_content?: string }[];
  output?: unknown;
}

/** OpenAI's Responses API, as Codex speaks it. */
export const responsesApi: ModelApi = {
  asksForAnswer: (path) => /\/responses(?:\?|$)/.test(path),
  said: (body) => items(body).flatMap((item) => [...words(item), ...(item.output === undefined ? [] : [asText(item.output)])]),
  prompts: (body) => items(body).flatMap(words),
  isWork(body) {
    // Newer models are told their tools among the messages. A title is asked for with the form of the answer.
    const tools = [...((body['tools'] as unknown[] | undefined) ?? []), ...items(body).filter(({ type }) => type === 'additional_tools')];
    return tools.length > 0 && (body['text'] as { format?: unknown } | undefined)?.format === undefined;
  },
  answer({ text, calls = [] }, { id }) {
    const output = [
      ...(text === undefined
        ? []
        : [
            {
              type: 'message',
              role: 'assistant',
              id: `msg_${id}`,
              status: 'completed',
              content: [{ type: 'output_text', text, annotations: [] }],
            },
          ]),
      ...calls.map(({ name, namespace, input }, at) => ({
        id: `fc_${id}_${at}`,
        call_id: `call_${id}_${at}`,
        name,
        ...(namespace === undefined ? {} : { namespace }),
        status: 'completed',
        // A tool with a grammar of its own takes a text.
        ...(typeof input['input'] === 'string' && Object.keys(input).length === 1
          ? { type: 'custom_tool_call', input: input['input'] }
          : { type: 'function_call', arguments: JSON.stringify(input) }),
      })),
    ];
    const response = { id: `resp_${id}`, object: 'response', status: 'in_progress', output: [] as unknown[] };
    const usage = {
      input_tokens: 100,
      input_tokens_details: { cached_tokens: 5 },
      output_tokens: 20,
      output_tokens_details: { reasoning_tokens: 3 },
      total_tokens: 120,
    };
    const events: [string, object][] = [
      ['response.created', { response }],
      ...output.flatMap((item, output_index): [string, object][] => [
        ['response.output_item.added', { output_index, item }],
        ['response.output_item.done', { output_index, item }],
      ]),
      ['response.completed', { response: { ...response, status: 'completed', output, usage } }],
    ];
    const stream = events.map(([type, data]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`).join('');
    return { type: 'text/event-stream', text: stream };
  },
};

const items = ({ input }: Record<string, unknown>) =>
  (Array.isArray(input) ? (input as Item[]) : []).filter(({ role }) => role !== 'assistant');

// What one agent says to another is marked as encrypted.
const words = ({ type, role, content }: Item) =>
  content === undefined || (role === undefined && type !== 'agent_message')
    ? []
    : typeof content === 'string'
      ? [content]
      : content.map(({ text, encrypted_content }) => text ?? encrypted_content ?? '');

const asText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
