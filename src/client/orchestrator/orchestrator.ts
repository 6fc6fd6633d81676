import type { Orchestrator, OrchestratorOptions } from './orchestrator-contract.ts';
import { OrchestratorRun } from './orchestrator-run.ts';

/**
 * Connects a program to its session and attaches it.
 * @throws ShannonDashError INVALID, UNREACHABLE (with `retry: false`), UNAUTHENTICATED, FORBIDDEN; or the signal's reason
 */
export async function connectOrchestrator(options: OrchestratorOptions = {}): Promise<Orchestrator> {
  const run = new OrchestratorRun(options);
  try {
    await run.ready;
    return run;
  } catch (error) {
    await run.close();
    options.signal?.throwIfAborted();
    throw error;
  }
}
