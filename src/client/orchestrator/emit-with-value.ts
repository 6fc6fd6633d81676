import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { Orchestrator } from './orchestrator-contract.ts';

/**
 * Emits the event that ends something, with a value that the program made. One that is no JSON, or too large for an event,
 * is left out: better an end without its result than none.
 */
export async function emitWithValue(
  run: Pick<Orchestrator, 'emit'>,
  type: 'execution:completed' | 'execution:failed' | 'skill:completed',
  data: Record<string, unknown>,
  value: Record<string, unknown>,
): Promise<void> {
  try {
    // As any type: its own schema is checked in `emit` all the same.
    await run.emit<string>(type, { ...data, ...value });
  } catch (error) {
    const isGuilty = error instanceof ShannonDashError && (error.code === 'INVALID' || error.code === 'TOO_LARGE');
    if (isGuilty) await run.emit<string>(type, data).catch(() => undefined);
  }
}
