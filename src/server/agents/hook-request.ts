import type { Adapter } from '../../adapters/adapter.ts';
import type { Answer } from '../../adapters/answer.ts';
import type { Signal } from '../../adapters/signal.ts';
import type { WorkspaceAccess } from '../workspace/workspace-access.ts';

/** A hook that an agent has fired, and waits for. */
export interface HookRequest {
  adapter: Adapter;
  signal: Signal;
  /** What the caller may do in the workspace. */
  access: WorkspaceAccess;
  /** The session of the `run` that started the agent, and the instance of that `run`. */
  under: { session: string; run: string | undefined } | undefined;
  /** Whether the agent runs on this machine, so that the paths that it names are those of here. */
  isLocal: boolean;
  /** The agent's process, where it is one of this machine and the caller says which. */
  pid: number | undefined;
  /** Whether a checkpoint is to be taken before the first change of each prompt. */
  checkpoints?: boolean;
  /** Ends when the agent does not wait any more: it was answered elsewhere, it gave up, or it is gone. */
  gone: AbortSignal;
}

/** What a hook is answered. */
export interface HookReply {
  answer: Answer;
  /** To be called once: whether the answer has left before the agent stopped to wait for it. */
  onSent: (isTaken: boolean) => void;
}
