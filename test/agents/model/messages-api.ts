import type { ModelApi, Turn } from './conversation.ts';

type Block = { type: string; text?: string; content?: unknown };

const usage = { input_tokens: 100, output_tokens: 20, cache_creation_input_tokens: 10, cache_read_input_tokens: 5 };

/** Anthropic's Messages API, as Claude Code and OpenCode speak it. */
export const messagesApi: ModelApi = {
  asksForAnswer: (path) => /\/messages(?:\?|$)/.test(path),
  said: (body) => texts(body, () => true),
  prompts: (body) => texts(body, ({ type }) => type === 'text'),
  isWork: ({ tools }) => Array.isArray(tools) && tools.length > 1,
  answer(turn, { id, body }) {
    const content = blocks(turn, id);
    const end = { stop_reason: content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn', stop_sequence: null };
    const message = { id: `msg_${id}`, type: 'message', role: 'assistant', model: body['model'] };
    if (body['stream'] !== true) return { type: 'application/json', text: JSON.stringify({ ...message, content, ...end, usage }) };
    const events: [string, object][] = [
      [
        'message_start',
        { message: { ...message, content: [], stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 1 } } },
      ],
      ...content.flatMap((block, index): [string, object][] => [
        ['content_block_start', { index, content_block: block.type === 'text' ? { type: 'text', text: '' } : { ...block, input: {} } }],
        [
          'content_block_delta',
          {
            index,
            delta:
              block.type === 'text'
                ? { type: 'text_delta', text: block.text }
                : { type: 'input_json_delta', partial_json: JSON.stringify(block.input) },
          },
        ],
        ['content_block_stop', { index }],
      ]),
      ['message_delta', { delta: end, usage: { output_tokens: usage.output_tokens } }],
      ['message_stop', {}],
    ];
    const text = events.map(([type, data]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`).join('');
    return { type: 'text/event-stream', text };
  },
};

function blocks(
  { text, calls = [] }: Turn,
  id: string,
): ({ type: 'text'; text: string } | { type: 'tool_use'; id: string; name: string; input: object })[] {
  return [
    ...(text === undefined ? [] : [{ type: 'text' as const, text }]),
    ...calls.map(({ name, input }, at) => ({ type: 'tool_use' as const, id: `toolu_${id}_${at}`, name, input })),
  ];
}

function texts({ messages }: Record<string, unknown>, isWanted: (block: Block) => boolean): string[] {
  const own = (messages as { role: string; content: string | Block[] }[]).filter(({ role }) => role !== 'assistant');
  return own.flatMap(({ content }) =>
    (typeof content === 'string' ? [{ type: 'text', text: content }] : content)
      .filter(isWanted)
      .map((block) => block.text ?? (typeof block.content === 'string' ? block.content : JSON.stringify(block.content ?? block))),
  );
}
