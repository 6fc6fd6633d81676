/** The fields of a ROLLBACK, as the protocol has checked them. */
export interface RollbackRequest {
  steps?: number | undefined;
  checkpoint_id?: string | undefined;
  dry_run?: boolean | undefined;
  force?: boolean | undefined;
}

/** Checkpoints of the work tree that an agent works in, kept by whoever has started the server. */
export interface WorkTreeCheckpoints {
  /** Keeps the files as they are. @param mostMs after so long the agent goes on; what it changes before it is read is not kept */
  keep(checkpointId: string, label: string, mostMs: number): Promise<{ saved: Promise<{ files: number; not_kept?: string[] }> }>;
  preview(request: RollbackRequest): Promise<object>;
  /** @throws Error with the reason, before anything is changed */
  check(request: RollbackRequest): Promise<void>;
  restore(request: RollbackRequest): Promise<{ result: object; savedAs: { checkpoint_id: string; label: string; files: number } }>;
  close(): Promise<void>;
}

/** Opens the checkpoints of the work tree that holds a folder. @throws Error where there is none, or no git */
export type OpenWorkTreeCheckpoints = (place: { cwd: string; sessionId: string }) => Promise<WorkTreeCheckpoints>;
