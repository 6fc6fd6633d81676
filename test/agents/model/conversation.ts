/** A tool that the model calls. */
export interface ToolCall {
  /** As the agent names it: `Bash`, `shell`, `run_shell_command`. */
  name: string;
  /** Where the agent has tools in groups. */
  namespace?: string;
  input: Record<string, unknown>;
}

/** What the model says in one answer: words, and tool calls that go out together. An answer without a call ends the agent's turn. */
export interface Turn {
  text?: string;
  calls?: readonly ToolCall[];
}

/**
 * What the model says in a conversation, answer by answer. A conversation is known by a word that stands in its first prompt, so that a
 * sub-agent, whose prompt the main agent's call holds, has turns of its own.
 */
export type Conversations = Readonly<Record<string, readonly Turn[]>>;

/** A request for an answer, in the words that all model APIs share. */
export interface ModelRequest {
  /** The conversation's word; undefined for what an agent asks beside the work, a title for instance. */
  conversation: string | undefined;
  /** What the user, and hooks in the user's name, have said so far; results of tools too. */
  said: readonly string[];
  /** The body as it came. */
  body: Record<string, unknown>;
}

/** What reads and writes the requests of one kind of model API. */
export interface ModelApi {
  /** Whether a request's path asks for an answer of the model. */
  asksForAnswer: (path: string) => boolean;
  /** Texts of the conversation that are not the model's own, in order; the first is the prompt. Results of tools are among them. */
  said: (body: Record<string, unknown>) => string[];
  /** The texts that only a person, or a hook in a person's name, has said. A conversation's word stands in one of them. */
  prompts: (body: Record<string, unknown>) => string[];
  /** Whether the request is work: the model may call tools. */
  isWork: (body: Record<string, unknown>) => boolean;
  /** The answer's body. @param id of this answer, unique */
  answer: (turn: Turn, request: { id: string; body: Record<string, unknown>; path: string }) => { type: string; text: string };
}
