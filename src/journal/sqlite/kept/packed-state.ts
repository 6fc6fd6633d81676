import { promisify } from 'node:util';
import { crc32, deflateRaw, inflateRawSync } from 'node:zlib';
import type { Snapshot } from '../../journal.ts';

const deflate = promisify(deflateRaw);

/** A state as a table has it: a tenth of its JSON, and as good. */
export interface PackedState {
  version: number;
  /** Of where it belongs, of its version and of the state. */
  sum: number;
  /** Its JSON, deflated. */
  state: Uint8Array;
}

/** Deflates the JSON of a state, beside the event loop. */
export function pack({ json }: Snapshot): Promise<Uint8Array> {
  return deflate(json, { level: 1 });
}

/** @param where its place in the journal, as a text that no other one has */
export function packedState(where: string, version: number, state: Uint8Array): PackedState {
  return { version, sum: crc32(state, crc32(`${where} ${version}`)), state };
}

/** Whether it is what was written at this place. */
export function isSoundState(where: string, { version, sum, state }: PackedState): boolean {
  return sum === packedState(where, version, state).sum;
}

export function unpacked(seq: number, { version, state }: PackedState): Snapshot {
  return { seq, version, json: inflateRawSync(state).toString() };
}
