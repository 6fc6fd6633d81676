import type { HookEvent } from '../../../../adapters/adapter.ts';

/** Whose settings: those of the user, or those of the folder that the command is called in. */
export type HookScope = 'user' | 'project';

/** What the hooks of an agent are to do. */
export interface HookChoice {
  /** The server. */
  url: string;
  /** How this program is started: its file by absolute path, and what stands before its arguments. */
  program: readonly [file: string, ...args: string[]];
  isStrict: boolean;
  checkpoints?: 'git' | undefined;
}

/** An agent whose hooks are entries in a JSON file of settings, in lists by event below `hooks`. */
export interface HookedAgent {
  /** As its maker writes it. */
  title: string;
  /** The name of its program. */
  program: string;
  /** The oldest version that runs these hooks, and the oldest that can be strict; undefined: any, or it is not known. */
  oldest: { hooks: string | undefined; strict?: string | undefined };
  /** The file, by absolute path. */
  pathOf: (scope: HookScope) => string;
  /** Whether the agent reads a file with comments in it. */
  readsComments: boolean;
  /** What a file of this kind needs beside its hooks. */
  needs: Readonly<Record<string, unknown>>;
  events: Readonly<Record<string, HookEvent>>;
  /** The entry of an event. */
  entryFor: (event: string, choice: HookChoice) => Record<string, unknown>;
  /** What a person does next. */
  nextSteps: readonly string[];
}
