import type { OnOutput } from '../output/program-outputs.ts';
import type { OutputPassage } from '../output/output-passage.ts';
import type { TreeRoot } from '../tree/tree-members.ts';
import type { InheritedState } from './inherited-state.ts';
import type { ProgramEnd } from './program-end.ts';

export interface ChildProgramOptions {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** The process state that this process inherited and hands on to the program. */
  inherited: InheritedState;
  /** `NAME=VALUE`, a variable that only this program and its children have in their environment. */
  mark: string;
  onOutput: OnOutput;
  /** Called when the user pressed a key that sends this signal. The program has already received the key. */
  onKeySignal: (signal: NodeJS.Signals) => void;
  /** Called when the program was suspended, for example by Ctrl-Z. */
  onStopped: () => void;
}

/** How a program ended, and the outputs that its remaining children may still write to. */
interface ChildProgramEnd extends ProgramEnd {
  leftBehind: OutputPassage[];
}

/** A program that runs as if the user had started it directly, without `run`. */
export interface ChildProgram {
  readonly root: TreeRoot;
  readonly ended: Promise<ChildProgramEnd>;
  /** Whether the program is in this process's own process group. The terminal then sends its signals to both. */
  readonly isShared: boolean;
  /** Whether Ctrl-Z suspends the program without help from this process. `onStopped` is then called. */
  readonly stopsItself: boolean;
  /** Restores the user's terminal while `pause` runs, for example while a shell suspends this process. */
  withoutTerminal(pause: () => Promise<void>): Promise<void>;
}
