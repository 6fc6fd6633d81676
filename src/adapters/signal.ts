/** A tool call, as its agent names it. */
export interface ToolCall {
  /** The agent's id of the call; null where it gives none. */
  id: string | null;
  name: string;
  /** As the agent gave it: not cut, not redacted. Whoever journals it does both. */
  input: unknown;
}

/** A file that a tool call has changed. Lines are null where the agent does not say them. */
export interface FileChange {
  path: string;
  change: 'created' | 'modified' | 'deleted';
  linesAdded: number | null;
  linesRemoved: number | null;
}

/** One question to a person. */
export interface Question {
  question: string;
  header: string | null;
  options: { label: string; description: string | null }[];
  /** Whether more than one option may be chosen. */
  isMultiple: boolean;
}

/** Work that goes on without its agent: a shell in the background, a sub-agent that was not waited for. */
export interface BackgroundTask {
  id: string;
  /** The agent's word: `shell`, `subagent`, ... */
  type: string;
  description: string;
}

/** What every signal has. */
interface Heard {
  /** The agent's own name of the event. */
  event: string;
  /** The agent's own id of its session. */
  session: string;
  /** The sub-agent that it is about, by the agent's own id; null for the session's own agent. */
  agentId: string | null;
  /** The working folder; null where the agent does not say it. */
  cwd: string | null;
  /** The model, where the agent says it with this event. */
  model: string | null;
  /** The whole event as it came, for the writer of the answer. It is never journalled. */
  payload: Readonly<Record<string, unknown>>;
}

/** What an agent says by a hook, whichever agent it is. */
export type Signal = Heard &
  (
    | {
        kind: 'session-started';
        /** `resumed` and `compacted`: the same session goes on. `forked` and `cleared`: a new one, begun from another. */
        how: 'new' | 'resumed' | 'forked' | 'cleared' | 'compacted';
        title: string | null;
      }
    /** A person, or a program, gives the agent work. `by` is `user` but for prompts that the agent gives itself. */
    | { kind: 'prompt'; text: string; by: 'user' | 'agent' }
    /** The agent is about to call a tool. It can be held, denied and told something. */
    | { kind: 'tool-starting'; tool: ToolCall }
    /** `durationMs` is null where the agent does not say it. `result` is as the agent gave it. */
    | { kind: 'tool-ended'; tool: ToolCall; result: unknown; durationMs: number | null; files: FileChange[] }
    | { kind: 'tool-failed'; tool: ToolCall; error: string; isInterrupted: boolean; durationMs: number | null }
    /** The agent asks, by a tool call of its own. An agent that says this only may leave `tool-starting` out. */
    | { kind: 'question'; tool: ToolCall; questions: Question[] }
    /** The same for a plan that a person is to approve. */
    | { kind: 'plan'; tool: ToolCall; plan: string }
    /** A tool call waits for permission. `always` says what "always" would allow, in words; null where the agent has no such rule. */
    | { kind: 'permission'; tool: ToolCall; always: string | null }
    /** Every call of one answer of the model is over; those whose end was not told were denied. `result` is what the model reads. */
    | { kind: 'calls-over'; calls: { tool: ToolCall; result: unknown }[] }
    /** The agent's own rules, or a person at the terminal, have denied a call. */
    | { kind: 'permission-denied'; tool: ToolCall; reason: string }
    /** A file changed, told by itself and not with the end of a tool call. */
    | { kind: 'files-changed'; files: FileChange[] }
    | { kind: 'agent-started'; agentId: string; role: string | null; task: string | null }
    | { kind: 'agent-ended'; agentId: string; message: string | null; isFailed: boolean }
    /** The agent asks for attention: `permission` (for a tool call), `idle` (it waits for a prompt), `input` (anything else). */
    | { kind: 'waiting'; reason: 'permission' | 'idle' | 'input'; message: string | null }
    /** The agent makes room in its context, or has. */
    | { kind: 'compacting'; isDone: boolean; trigger: string | null }
    /** The agent said something while its turn goes on. */
    | { kind: 'message'; text: string }
    /** The turn is over; what is in `background` goes on. Null where the agent does not say it. */
    | { kind: 'turn-ended'; message: string | null; background: BackgroundTask[] | null }
    /** The turn ended by an error: a limit, an API that does not answer. */
    | { kind: 'turn-failed'; error: string }
    | {
        kind: 'usage';
        inputTokens: number;
        outputTokens: number;
        cacheReadTokens: number;
        cacheWriteTokens: number;
        costUsd: number | null;
      }
    | { kind: 'session-ended'; reason: string | null }
    /** The model or the working folder has changed: see `model` and `cwd`. */
    | { kind: 'settings-changed' }
    /** Anything else, events of newer versions too: a sign of life. */
    | { kind: 'other' }
  );

export type SignalKind = Signal['kind'];

/** A signal of one kind. */
export type SignalOf<Kind extends SignalKind> = Extract<Signal, { kind: Kind }>;
