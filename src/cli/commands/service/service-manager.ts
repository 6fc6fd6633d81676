import type { MarkComment } from '../../installed-file.ts';

/** How the server is started. */
export interface ServerStart {
  /** Its program, by absolute path, and all arguments. */
  command: readonly [file: string, ...args: string[]];
  /** Variables that say where the user's files are. */
  environment: Readonly<Record<string, string>>;
  home: string;
}

/** What keeps services up on a system: how it is told of one, and asked for it. */
export interface ServiceManager {
  name: string;
  /** The file that describes the service. */
  path: string;
  text(start: ServerStart): string;
  comment: MarkComment;
  /** The commands that start the service as the file says, also where it runs already. */
  starting: readonly ManagerCommand[];
  /** The commands that stop it and forget it, before its file is removed. */
  stopping: readonly ManagerCommand[];
  /** What tells the manager that the file is gone, and what else it left behind. */
  forget: { commands: readonly ManagerCommand[]; links: readonly string[] };
  /** Asks how the service stands; the answer is read by `stateIn`. */
  asking: ManagerCommand;
  /** The state in the manager's own word; undefined where it knows of no such service. */
  stateIn(answer: string): string | undefined;
  /** The state of a service that runs. */
  up: string;
  /** What a user types to start it. */
  nextStep: string;
  /** How to read what the server says, and how to have it run while nobody is logged in. */
  hints: readonly string[];
}

/** One command of the service manager. */
export interface ManagerCommand {
  command: readonly [file: string, ...args: string[]];
  /** It undoes what may not be there. */
  mayFail?: true;
}
