import type { Told } from '../../adapters/events/told.ts';
import { agentLimits } from '../../core/protocol/limits.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { cutText } from '../../core/text/cut-text.ts';
import type { HookRequest } from './hook-request.ts';
import type { OpenWorkTreeCheckpoints, RollbackRequest, WorkTreeCheckpoints } from './work-tree-checkpoints.ts';

export interface AgentCheckpointsParts {
  sessionId: string;
  /** Undefined: this server takes none. */
  open: OpenWorkTreeCheckpoints | undefined;
  publish: (events: readonly Told[]) => Promise<void>;
  onProblem: (error: unknown) => void;
}

/** The checkpoints of one session: one before the first change of each prompt, taken while the call that may make it is held. */
export class AgentCheckpoints {
  readonly #parts: AgentCheckpointsParts;
  #opened: Promise<WorkTreeCheckpoints> | undefined;
  /** Where the agent works, once it has said so. */
  #folder: string | undefined;
  /** Rollbacks since the last prompt: each is followed by one more checkpoint. */
  #rollbacks = 0;
  /** The prompt whose checkpoint could not be taken: that is told once. */
  #failedOf: number | undefined;

  constructor(parts: AgentCheckpointsParts) {
    this.#parts = parts;
  }

  /** To be awaited before a hook is answered. */
  async before({ adapter, signal, checkpoints, isLocal }: HookRequest, state: SessionState): Promise<void> {
    if (checkpoints !== true || !isLocal || signal.cwd === null) return;
    this.#folder = signal.cwd;
    if (signal.kind === 'prompt') this.#rollbacks = 0;
    if (signal.kind !== 'tool-starting' || adapter.abilities.readingTools?.includes(signal.tool.name) === true) return;
    const prompts = state.messages.user;
    const taken = state.checkpoints.filter(({ checkpoint_id }) => checkpoint_id.startsWith(`prompt-${prompts}.`)).length;
    if (taken > this.#rollbacks || this.#failedOf === prompts) return;
    const checkpoint_id = `prompt-${prompts}.${taken + 1}`;
    try {
      const kept = await this.#open(signal.cwd);
      const label = `before ${signal.tool.name} of prompt ${prompts}`;
      await this.#parts.publish([{ type: 'checkpoint:created', data: { checkpoint_id, label } }]);
      const { saved } = await kept.keep(checkpoint_id, label, agentLimits.checkpointMs);
      const told = saved.then(({ files, not_kept }) =>
        this.#parts.publish([
          { type: 'checkpoint:saved', data: { checkpoint_id, files, ...(not_kept === undefined ? {} : { not_kept }) } },
        ]),
      );
      told.catch((error: unknown) => this.#failed(checkpoint_id, error));
    } catch (error) {
      this.#failedOf = prompts;
      await this.#failed(checkpoint_id, error);
    }
  }

  /** Why there can be no rollback; undefined where there may be one. */
  get refusal(): string | undefined {
    if (this.#folder !== undefined) return undefined;
    return 'No checkpoints of this session are known here: hook install --checkpoints git takes one before the first change of each prompt';
  }

  /** @throws Error with the reason why there is no rollback */
  async rollback(request: RollbackRequest): Promise<object> {
    if (this.#folder === undefined) throw new Error(this.refusal);
    const checkpoints = await this.#open(this.#folder);
    if (request.dry_run === true) return checkpoints.preview(request);
    await checkpoints.check(request);
    const { result, savedAs } = await checkpoints.restore(request);
    await this.#parts.publish([{ type: 'checkpoint:created', data: { ...savedAs } }]);
    this.#rollbacks++;
    return result;
  }

  /** Lets a rollback that is under way finish. */
  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    await opened?.close();
  }

  #open(cwd: string): Promise<WorkTreeCheckpoints> {
    const { open, sessionId } = this.#parts;
    if (open === undefined) return Promise.reject(new Error('this server takes no checkpoints; start it with shannon-dash serve'));
    this.#opened ??= open({ cwd, sessionId }).catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async #failed(checkpoint_id: string, error: unknown): Promise<void> {
    const text = cutText(error instanceof Error ? error.message : String(error), agentLimits.toolTextChars);
    await this.#parts.publish([{ type: 'checkpoint:failed', data: { checkpoint_id, error: text } }]).catch(this.#parts.onProblem);
  }
}
