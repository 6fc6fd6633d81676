import type { Interruption } from './terminal/interruption.ts';
import type { Output } from './terminal/output.ts';
import type { Settings } from './settings/settings.ts';

/** What a command gets to work with. */
export interface Invocation<Options> {
  args: string[];
  options: Options;
  settings: Settings;
  output: Output;
  interruption: Interruption;
}

/** What a command does. @returns the exit code; nothing: 0, or 130 and 143 after a signal */
export type RunCommand<Options> = (invocation: Invocation<Options>) => Promise<number | void>;
