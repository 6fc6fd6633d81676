import type { Interruption } from './terminal/interruption.ts';
import type { Output } from './terminal/output.ts';
import type { Settings } from './settings/settings.ts';

/** The arguments, options, settings and output that a command is called with. */
export interface Invocation<Options> {
  args: string[];
  options: Options;
  settings: Settings;
  output: Output;
  interruption: Interruption;
}

/** The code of a command. @returns the exit code; nothing: 0, or 130 and 143 after a signal */
export type RunCommand<Options> = (invocation: Invocation<Options>) => Promise<number | void>;
