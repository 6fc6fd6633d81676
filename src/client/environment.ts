import { userAtHost } from '../core/text/user-at-host.ts';

/** What the surroundings of a program say about where it belongs. Empty in a browser. */
export interface Environment {
  /** SHANNON_DASH_URL */
  url: string | undefined;
  /** SHANNON_DASH_TOKEN */
  token: string | undefined;
  /** SHANNON_DASH_SESSION */
  session: string | undefined;
  /** SHANNON_DASH_RUN: the instance id of a supervising `shannon-dash run`. */
  run: string | undefined;
  /** SHANNON_DASH_CHECKPOINTS: `git` where the supervisor takes a snapshot at each checkpoint. */
  checkpoints: string | undefined;
  /** SHANNON_DASH_CHECKPOINT_KEY: by it the supervisor knows its program's own checkpoints. */
  checkpointKey: string | undefined;
}

/** `user@host`: the name of an operator who gives none. Undefined in a browser. */
export function defaultClientName(): string | undefined {
  const load = (globalThis as { process?: Partial<NodeJS.Process> }).process?.getBuiltinModule;
  if (load === undefined) return undefined;
  return userAtHost(load('node:os'));
}

/** Reads the environment; empty variables count as absent. */
export function readEnvironment(): Environment {
  // A browser has no `process`, and this file must load there too.
  const variables = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env ?? {};
  const read = (name: string) => (variables[name] === '' ? undefined : variables[name]);
  return {
    url: read('SHANNON_DASH_URL'),
    token: read('SHANNON_DASH_TOKEN'),
    session: read('SHANNON_DASH_SESSION'),
    run: read('SHANNON_DASH_RUN'),
    checkpoints: read('SHANNON_DASH_CHECKPOINTS'),
    checkpointKey: read('SHANNON_DASH_CHECKPOINT_KEY'),
  };
}
