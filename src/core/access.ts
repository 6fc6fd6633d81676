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
  /** What the sessions that one may reach add up to. */
  analytics: readers,
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
  /** Sending a command again: of a type that one may send. */
  resend: operators,
  /** Taking a command back: one's own, or of a type that one may send. */
  cancel: operators,
  /** Getting the link by which anybody may answer a decision. */
  mintLink: operators,
  /** Making, listing and revoking the links by which a browser watches one session. */
  share: operators,
  answerLink: [...readers, 'anonymous'],
  delete: admins,
  /** Bringing a recorded session here, whatever it says of itself. */
  import: admins,
  stats: admins,
  metrics: admins,
  /** Every command of all sessions. */
  audit: admins,
  /** A copy of the whole journal. */
  backup: admins,
} as const satisfies Record<string, readonly CallerRole[]>;

/** What can be asked of a workspace. */
export type Verb = keyof typeof verbTable;

/** What each verb lets a caller do. */
export const verbMeanings: Record<Verb, string> = {
  health: 'ask whether the server is well',
  sessions: 'list the sessions',
  analytics: 'sum up the sessions',
  state: 'read the state of a session',
  history: 'read the events of a session',
  watch: 'watch a session live',
  watchAll: 'watch all sessions live',
  ledger: 'read the commands of a session',
  decision: 'read a decision',
  skills: 'read the skills',
  create: 'create a session',
  publish: 'publish events',
  attach: 'be the orchestrator of a session',
  update: 'tell how a command ended',
  command: 'send commands',
  resend: 'send a command again, of a type that one may send',
  cancel: 'take a command back, of a type that one may send, or that one has sent',
  mintLink: 'get the link that answers a decision',
  share: 'make, list and revoke links by which a browser watches a session',
  answerLink: 'answer a decision whose link one has',
  delete: 'delete a session',
  stats: 'read the figures of the server',
  metrics: 'read the figures for Prometheus',
  audit: 'read the commands of all sessions',
  import: 'import recordings',
  backup: 'copy the whole journal',
};

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

/** The name that a link to one session has among tokens. @param id eight characters */
export function nameOfLink(id: string): string {
  return `share-${id}`;
}

/** Whether somebody of this name came by a link to one session. */
export function isNameOfLink(name: string): boolean {
  return /^share-\w{8}$/.test(name);
}
