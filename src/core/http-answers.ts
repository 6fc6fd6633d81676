import { z } from 'zod';
import { knownWord, openObject } from './json/open-object.ts';
import { commandState } from './protocol/command.ts';
import { eventList } from './protocol/event.ts';
import { decisionState, orchestratorState, sessionState, sessionStatus } from './protocol/session-state.ts';

/** What the server answers over HTTP, beside what it answers over Socket.IO too. */

const told = z.string('must be a text');
const toldOrNull = told.nullable();
const number = z.number('must be a number');
/** What can be not well with a server that answers. */
const degradedCodes = ['journal_not_writable', 'disk_nearly_full', 'write_back_behind'] as const;
/** When the answer was given, by the server's clock. */
const timestamp = told.optional();

export const healthAnswer = openObject({
  status: told,
  /** Why the server is `degraded`: nothing can be journalled now. */
  reason: told.optional(),
  /** Whether it answers, and whether it takes what is published. Absent in older servers. */
  live: z.boolean().optional(),
  ready: z.boolean().optional(),
  /** What is not well, also while all is taken. Absent where all is well. */
  degraded: z.array(openObject({ code: knownWord(degradedCodes), reason: told.optional() })).optional(),
  timestamp,
  /** To `challenge`: what only the server can answer that has left its user's programs a token. */
  proof: told.optional(),
  /** Absent, with the figures, for a caller without a token where one is needed. */
  version: told.optional(),
  active_sessions: number.optional(),
  connected_clients: number.optional(),
  /** How many servers work with the journal now. */
  servers: number.optional(),
  uptime_seconds: number.optional(),
});

/** For probes: whether the process answers, and whether it takes what is published. */
export const livenessAnswer = openObject({ live: z.literal(true) });
export const readinessAnswer = openObject({ ready: z.boolean() });

/** Where several servers share the journal, all but `sessions`, `servers` and `journal.size_bytes` is of the one that answers. */
export const statsAnswer = openObject({
  total_connections: number,
  /** How many watch each session at this server. */
  sessions: z.record(told, number),
  timestamp,
  version: told,
  uptime_seconds: number,
  events_total: number,
  events_per_second: number,
  publish: openObject({ p50_ms: number.nullable(), p99_ms: number.nullable() }),
  orchestrators: number,
  /** How many share the journal. */
  servers: number.optional(),
  ends_when_unused: z.boolean().optional(),
  /** Where it is kept is told to callers on the server's own machine only. */
  journal: openObject({ location: told.optional(), size_bytes: number }),
});

export const loginCodeAnswer = openObject({ login_url: told, expires_at: timestamp });

/** The caller. `logged_in`: by the cookie of a browser. */
export const whoamiAnswer = openObject({
  by: told,
  role: told,
  can_steer: z.boolean(),
  sessions: z.array(told),
  tenant: toldOrNull,
  logged_in: z.boolean(),
});

const share = openObject({ id: told, by: told, created_at: told, expires_at: told, opened: z.boolean() });

/** A link to a session, which is told this once. */
export const sharedAnswer = openObject({ ...share.shape, share_url: told });

export const sharesAnswer = openObject({ shares: z.array(share), total: number, timestamp });

/** A skill. What its file says besides is passed on. */
export const skill = z.looseObject({
  name: told,
  description: told,
  tags: z.array(told),
  usage_count: number,
  success_rate: number.nullable(),
  avg_duration: number.nullable(),
});

/** How a session is listed. */
const listedSession = openObject({
  session_id: told,
  created_at: told,
  updated_at: told,
  status: sessionStatus,
  current_skill: toldOrNull,
  /** The beginning of what it was started for. */
  task: toldOrNull.default(null),
  started_at: toldOrNull.default(null),
  ended_at: toldOrNull.default(null),
  archived: z.boolean().default(false),
  pinned: z.boolean().default(false),
  exit_code: number.nullable().default(null),
  folder: toldOrNull.default(null),
  branch: toldOrNull.default(null),
  user: toldOrNull.default(null),
  model: toldOrNull.default(null),
  labels: z.array(told).default(() => []),
  /** Input and output together, and dollars; null while nothing has been told of them. */
  tokens: number.nullable().default(null),
  cost_usd: number.nullable().default(null),
  progress: number.nullable(),
  seq: number,
  /** At this server. */
  watchers: number,
  /** How many connections publish to it at this server. */
  producers: number,
  orchestrator: orchestratorState.nullable(),
  open_decisions: number,
});

export interface ListedSession extends z.output<typeof listedSession> {}

/** A decision and, while it is open, the path to answer it; the whole URL too where the server knows it. */
export const decisionAnswer = openObject({
  ...decisionState.shape,
  session_id: told,
  answer_path: told.optional(),
  answer_url: told.optional(),
  timestamp,
});

export interface AskedDecision extends z.output<typeof decisionAnswer> {}

export const sessionListAnswer = openObject({ sessions: z.array(listedSession), total: number, timestamp });

export const skillListAnswer = openObject({ skills: z.array(skill), total: number, problems: z.array(z.unknown()).optional() });

/** The first event that is left; absent where retention has taken none. */
const first_available = number.optional();

/** A session's state with the epoch of its journal. */
export const sessionAnswer = openObject({ ...sessionState.shape, epoch: told, first_available });

export const deletedAnswer = openObject({ success: z.literal(true), message: told });

export const historyAnswer = openObject({ events: eventList, epoch: told, next: number, first_available });

/** A command of any session: who sent it, what and when, and what came of it. */
const auditEntry = openObject({ session_id: told, ...commandState.shape }).omit({
  result: true,
  delivered_to: true,
  for_instance: true,
  offered_to: true,
});

export interface AuditEntry extends z.output<typeof auditEntry> {}

export const auditAnswer = openObject({ commands: z.array(auditEntry), next: toldOrNull, timestamp });

export const ledgerAnswer = openObject({ commands: z.array(commandState), total: number, timestamp });
