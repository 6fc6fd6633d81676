import type { CommandType } from './protocol/command.ts';

/** What a token may be made for, from the least to the most. */
export const roles = ['viewer', 'operator', 'orchestrator', 'admin'] as const;
export type Role = (typeof roles)[number];

/** A caller without a token: it may ask whether the server is well, and answer a decision whose link it holds. */
export type CallerRole = Role | 'anonymous';

const readers = ['viewer', 'operator', 'orchestrator', 'admin'] as const;
const producers = ['orchestrator', 'admin'] as const;
const operators = ['operator', 'admin'] as const;
const admins = ['admin'] as const;

/** Which roles may use which verb: the whole of what a role means. */
export const verbTable = {
  health: [...readers, 'anonymous'],
  sessions: readers,
  state: readers,
  history: readers,
  watch: readers,
  watchAll: readers,
  ledger: readers,
  decision: readers,
  skills: readers,
  create: producers,
  publish: producers,
  attach: producers,
  update: producers,
  command: operators,
  /** Getting the link by which anybody may answer a decision. */
  mintLink: operators,
  answerLink: [...readers, 'anonymous'],
  delete: admins,
  stats: admins,
  metrics: admins,
  /** Every command of all sessions. */
  audit: admins,
} as const satisfies Record<string, readonly CallerRole[]>;

/** What can be asked of a workspace. */
export type Verb = keyof typeof verbTable;

/** Whether a role may use a verb. */
export function may(role: CallerRole, verb: Verb): boolean {
  return (verbTable[verb] as readonly CallerRole[]).includes(role);
}

/** The commands that make a program do something else than stop or go on: they can run code. An operator needs `steer` for them. */
const steeringCommands: ReadonlySet<CommandType> = new Set(['REDIRECT', 'INJECT', 'ROLLBACK']);

/** Whether a caller may send a command of this type. */
export function maySend({ role, canSteer }: { role: CallerRole; canSteer: boolean }, type: CommandType): boolean {
  return may(role, 'command') && (role === 'admin' || canSteer || !steeringCommands.has(type));
}
