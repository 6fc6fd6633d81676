import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Conversations, ModelApi, ModelRequest, Turn } from './conversation.ts';

/** A model API on loopback that says what a script says. */
export class ScriptedModel {
  /** Every request for an answer so far. */
  readonly requests: ModelRequest[] = [];
  /** Paths of the other requests: what an agent asks beside its model. */
  readonly others: string[] = [];
  readonly #api: ModelApi;
  readonly #conversations: Map<string, readonly Turn[]>;
  readonly #served = new Map<string, { turns: number; body: string }>();
  readonly #server = createServer((request, response) => void this.#take(request, response));

  private constructor(api: ModelApi, conversations: Conversations) {
    this.#api = api;
    this.#conversations = new Map(Object.entries(conversations));
  }

  /** Starts one, on any free port. */
  static async start(api: ModelApi, conversations: Conversations): Promise<ScriptedModel> {
    const model = new ScriptedModel(api, conversations);
    await new Promise<void>((resolve) => model.#server.listen(0, '127.0.0.1', resolve));
    return model;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The requests of a conversation. */
  requestsOf(conversation: string): ModelRequest[] {
    return this.requests.filter((request) => request.conversation === conversation);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const body = parsed(await text(request).catch(() => ''));
    if (request.method !== 'POST' || body === undefined || !this.#api.asksForAnswer(path)) {
      this.others.push(`${request.method} ${path}`);
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error": {"type": "not_found_error", "message": "not here"}}');
      return;
    }
    const prompts = this.#api.prompts(body).join('\n');
    const isWork = this.#api.isWork(body);
    const conversation = isWork ? firstOf([...this.#conversations.keys()], prompts) : undefined;
    this.requests.push({ conversation, said: this.#api.said(body), body });
    const turn = conversation === undefined ? { text: '{"title": "Scripted"}' } : this.#nextTurn(conversation, JSON.stringify(body));
    const answer = this.#api.answer(turn, { id: String(this.requests.length).padStart(4, '0'), body, path });
    response.writeHead(200, { 'content-type': answer.type }).end(answer.text);
  }

  /** What comes next in a conversation. An agent that asks the same once more, after a lost answer, gets the same once more. */
  #nextTurn(conversation: string, body: string): Turn {
    const served = this.#served.get(conversation);
    const turns = served === undefined ? 0 : served.body === body ? served.turns - 1 : served.turns;
    this.#served.set(conversation, { turns: turns + 1, body });
    return this.#conversations.get(conversation)?.[turns] ?? { text: 'The script ends here.' };
  }
}

/** The word that stands first in a text. */
function firstOf(words: readonly string[], text: string): string | undefined {
  return words
    .map((word) => ({ word, at: text.indexOf(word) }))
    .filter(({ at }) => at !== -1)
    .toSorted((one, other) => one.at - other.at)[0]?.word;
}

function parsed(body: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
