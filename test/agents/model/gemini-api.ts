import type { ModelApi } from './conversation.ts';

interface Part {
  text?: string;
  functionResponse?: { response: unknown };
}

/** Google's generateContent and streamGenerateContent, as the Gemini CLI speaks them. */
export const geminiApi: ModelApi = {
  asksForAnswer: (path) => /:(?:streamG|g)enerateContent(?:\?|$)/.test(path),
  said: (body) =>
    parts(body).flatMap(({ text, functionResponse }) => [
      ...(text === undefined ? [] : [text]),
      ...(functionResponse === undefined ? [] : [JSON.stringify(functionResponse.response)]),
    ]),
  prompts: (body) => parts(body).flatMap(({ text }) => (text === undefined ? [] : [text])),
  isWork: ({ tools }) => Array.isArray(tools) && tools.some((tool) => 'functionDeclarations' in (tool as object)),
  answer({ text, calls = [] }, { id, path }) {
    const parts = [
      ...(text === undefined ? [] : [{ text }]),
      ...calls.map(({ name, input }, at) => ({ functionCall: { id: `call_${id}_${at}`, name, args: input } })),
    ];
    const answer = {
      responseId: id,
      modelVersion: /models\/([^:/]+)/.exec(path)?.[1],
      candidates: [{ index: 0, content: { role: 'model', parts }, finishReason: 'STOP' }],
      usageMetadata: {
        promptTokenCount: 100,
        cachedContentTokenCount: 5,
        candidatesTokenCount: 20,
        thoughtsTokenCount: 3,
        totalTokenCount: 123,
      },
    };
    return path.includes(':streamGenerateContent')
      ? { type: 'text/event-stream', text: `data: ${JSON.stringify(answer)}\n\n` }
      : { type: 'application/json', text: JSON.stringify(answer) };
  },
};

const parts = ({ contents }: Record<string, unknown>) =>
  (Array.isArray(contents) ? (contents as { role?: string; parts: Part[] }[]) : [])
    .filter(({ role }) => role !== 'model')
    .flatMap(({ parts }) => parts);
