import { ShannonDashError } from '../core/protocol/errors.ts';

/** @throws ShannonDashError CONFLICT the session has gone on since the state was read that an append was decided on */
export function checkExpectedSeq({ session_id, seq }: { session_id: string; seq: number }, expectedSeq: number | undefined): void {
  if (expectedSeq === undefined || expectedSeq === seq) return;
  const sentence = `${session_id} has gone on to event ${seq}; this was decided on event ${expectedSeq}`;
  throw new ShannonDashError('CONFLICT', sentence, { seq, expected_seq: expectedSeq });
}

/** Whether an append was refused because another event was written since the state that it was decided on. */
export function isOvertaken(error: unknown): boolean {
  const details = error instanceof ShannonDashError && error.code === 'CONFLICT' ? error.details : undefined;
  return typeof details === 'object' && details !== null && 'expected_seq' in details;
}
