import { z } from 'zod';
import { knownWord, openObject } from '../json/open-object.ts';
import { anyObject } from '../text/text.ts';
import { agent, messages, noMessages, noUsage, tool, toolUsage, usage, usageFields, usageSource, waiting } from './agent-activity.ts';
import { commandState } from './command.ts';
import { noRollup, rollup } from '../rollup/rollup.ts';
import { sessionStatuses } from './known-words.ts';

const text = z.string('must be a text');
const textOrNull = text.nullable();
const number = z.number('must be a number');
const numberOrNull = number.nullable();
const flag = z.boolean('must be true or false');

export { isEnded, isLive, type SessionStatus } from './known-words.ts';

export const sessionStatus = knownWord(sessionStatuses);

const skill = openObject({
  skill_id: text,
  skill_name: text,
  /** `pending`: injected, not started yet. `lost`: its run ended, or was lost, before its end was told. */
  status: knownWord(['pending', 'running', 'lost', 'completed', 'failed'] as const),
  progress: numberOrNull,
  message: textOrNull,
  agent_id: textOrNull,
  step_index: numberOrNull,
  started_at: textOrNull,
  ended_at: textOrNull,
  duration_ms: numberOrNull,
  error: textOrNull,
});

const file = openObject({
  path: text,
  /** What happened to the file over the whole session: created and modified since is still `created`. */
  change: knownWord(['created', 'modified', 'deleted'] as const),
  lines_added: number,
  lines_removed: number,
  /** How many events touched it. */
  changes: number,
  agent_id: textOrNull,
  updated_at: text,
});

const decisionOption = openObject({ id: text, label: text, description: textOrNull, recommended: flag });

export const decisionState = openObject({
  decision_id: text,
  question: text,
  options: z.array(decisionOption),
  default: textOrNull,
  context: z.unknown(),
  agent_id: textOrNull,
  asked_at: text,
  /** The event that asked: the same id may be asked again once this is forgotten. */
  seq: number,
  /** When the server answers with the default; null: it stays open. */
  deadline: textOrNull,
  status: knownWord(['open', 'made'] as const),
  choice: textOrNull,
  made_by: textOrNull,
  made_at: textOrNull,
  comment: textOrNull,
  /** The last answer that a producer gave and that names none of the options: it does not count. */
  ignored_choice: textOrNull,
  /** Whether an answer may name several options, with commas between their ids. */
  multiple: flag.default(false),
});

const validation = openObject({
  check_name: text,
  status: knownWord(['running', 'lost', 'passed', 'failed'] as const),
  command: textOrNull,
  message: textOrNull,
  exit_code: numberOrNull,
  /** The last lines of its output, oldest first. */
  lines: z.array(openObject({ stream: knownWord(['stdout', 'stderr'] as const), line: text })),
  started_at: text,
  ended_at: textOrNull,
  duration_ms: numberOrNull,
});

const checkpoint = openObject({
  checkpoint_id: text,
  label: textOrNull,
  step: numberOrNull,
  /** How many files it holds, where the producer says so. */
  files: numberOrNull,
  created_at: text,
  seq: number,
});

const lease = openObject({
  /** The id of the server that holds the connection; null in a history that an older version has written. */
  server: textOrNull,
  /** The `seq` of the event that attached: a later attachment has a higher one. */
  term: number,
  /** The name of the token by which it was attached, with `jwt:` before that of an identity provider. Absent for a caller that needs none. */
  owner: text.optional(),
  /** SHA-256 of the lease that the client was given. Absent in a history that an older version has written. */
  sha256: text.optional(),
}).default({ server: null, term: 0 });

export const orchestratorState = openObject({
  attached: flag,
  instance_id: textOrNull,
  capabilities: z.array(text),
  last_seen: text,
  /** That of the last attachment, also when it has ended. */
  lease,
});

/** A program under a supervising orchestrator, which takes the commands of its own capabilities. */
const delegateState = openObject({ instance_id: textOrNull, capabilities: z.array(text), lease });

const skillUsage = openObject({
  skill_name: text,
  started: number,
  completed: number,
  failed: number,
  /** Sum over the completed runs whose length is known, in seconds, and their number. */
  duration_s: number,
  durations: number,
});

/** What was let go from each list to keep it bounded. */
const letGo = openObject({
  skills: number,
  agents: number,
  files: number,
  decisions: number,
  validations: number,
  checkpoints: number,
  commands: number,
});

/** A session as its journal tells it: the result of `fold`, the same in server, terminal, page and SDK. */
export const sessionState = openObject({
  session_id: text,
  status: sessionStatus,
  created_at: text,
  updated_at: text,
  started_at: textOrNull,
  ended_at: textOrNull,
  seq: number,
  task: textOrNull,
  plan_id: textOrNull,
  total_steps: numberOrNull,
  /** 0 to 100, null while nothing is known. */
  progress: numberOrNull,
  message: textOrNull,
  result: z.unknown(),
  error: textOrNull,
  /** Put away: lists leave it out unless they are asked for it. A new start takes it back. */
  archived: flag.default(false),
  /** Retention leaves it alone. */
  pinned: flag.default(false),
  /** Of the program, where it ran as one and has ended by itself. */
  exit_code: numberOrNull.default(null),
  /** The name of the working folder, the branch of git in it, who runs it, the model of the agent, and what its starter calls it. */
  folder: textOrNull.default(null),
  branch: textOrNull.default(null),
  user: textOrNull.default(null),
  model: textOrNull.default(null),
  labels: z.array(text).default(() => []),
  current_skill: textOrNull,
  /** The HALT in force, or on its way. `from` is the status to go back to when it fails. */
  halt: openObject({ reason: textOrNull, command_id: textOrNull, by: textOrNull, since: text, from: sessionStatus }).nullable(),
  redirect: openObject({
    target_skill: textOrNull,
    target_path: textOrNull,
    instructions: textOrNull,
    by: textOrNull,
    at: text,
  }).nullable(),
  rollback: openObject({ checkpoint_id: textOrNull, steps: numberOrNull, by: textOrNull, at: text }).nullable(),
  orchestrator: orchestratorState.nullable(),
  /** The program that is attached under the orchestrator now. */
  delegate: delegateState.nullable().default(null),
  /** Since when it is lost, and the status that it comes back to. */
  lost: openObject({ since: text, from: sessionStatus }).nullable(),
  skills: z.array(skill),
  agents: z.array(agent),
  files: z.array(file),
  decisions: z.array(decisionState),
  validations: z.array(validation),
  checkpoints: z.array(checkpoint),
  commands: z.array(commandState),
  let_go: letGo,
  skill_usage: z.array(skillUsage),
  /** Tool calls: those under way and the newest others. How many there were is in `tool_usage`. */
  tools: z.array(tool).default(() => []),
  tool_usage: z.array(toolUsage).default(() => []),
  /** Tokens and cost, as `usage:reported` tells them: of the session, and of each model and agent. */
  usage: usage.default(() => noUsage()),
  usage_by_model: z.array(openObject({ model: text, ...usageFields })).default(() => []),
  usage_by_agent: z.array(openObject({ agent_id: text, ...usageFields })).default(() => []),
  /** What tells the usage now. What another one tells of the same time is not added. */
  usage_source: usageSource.nullable().default(null),
  /** What was said: how much, and the last of each side. */
  messages: messages.default(() => noMessages()),
  /** Since when the session's own agent is idle and asks for attention; other agents say so in `agents`. */
  waiting: waiting.nullable().default(null),
  /** What happened on each day, for analytics. */
  rollup: rollup.default(() => noRollup()),
  /** When and by whom it was imported, and its last event: from there on it is as it was, and takes no more events. */
  imported: openObject({ at: text, by: textOrNull, seq: number }).nullable().default(null),
  /** What the session was created with. */
  planned_skills: z.array(text),
  metadata: anyObject,
});

export interface SkillState extends z.output<typeof skill> {}
export interface AgentState extends z.output<typeof agent> {}
export interface FileState extends z.output<typeof file> {}
export interface DecisionOption extends z.output<typeof decisionOption> {}
export interface DecisionState extends z.output<typeof decisionState> {}
export interface ValidationState extends z.output<typeof validation> {}
export interface CheckpointState extends z.output<typeof checkpoint> {}
export interface CommandState extends z.output<typeof commandState> {}
export interface OrchestratorState extends z.output<typeof orchestratorState> {}
export interface DelegateState extends z.output<typeof delegateState> {}
export interface Lease extends z.output<typeof lease> {}
export interface SkillUsage extends z.output<typeof skillUsage> {}
export interface LetGo extends z.output<typeof letGo> {}
export interface SessionState extends z.output<typeof sessionState> {}

/** What a session is before its first event. */
export interface SessionOrigin {
  session_id: string;
  created_at: string;
  skills?: string[] | undefined;
  metadata?: Record<string, unknown> | undefined;
  /** It is a recording that was brought here whole. */
  imported?: NonNullable<SessionState['imported']> | undefined;
}

/** The state to fold a session's first event into. */
export function initialState(origin: SessionOrigin): SessionState {
  return {
    session_id: origin.session_id,
    status: 'created',
    created_at: origin.created_at,
    updated_at: origin.created_at,
    started_at: null,
    ended_at: null,
    seq: 0,
    task: null,
    plan_id: null,
    total_steps: null,
    progress: null,
    message: null,
    result: null,
    error: null,
    archived: false,
    pinned: false,
    exit_code: null,
    folder: null,
    branch: null,
    user: null,
    model: null,
    labels: [],
    current_skill: null,
    halt: null,
    redirect: null,
    rollback: null,
    orchestrator: null,
    delegate: null,
    lost: null,
    skills: [],
    agents: [],
    files: [],
    decisions: [],
    validations: [],
    checkpoints: [],
    commands: [],
    let_go: { skills: 0, agents: 0, files: 0, decisions: 0, validations: 0, checkpoints: 0, commands: 0 },
    skill_usage: [],
    tools: [],
    tool_usage: [],
    usage: noUsage(),
    usage_by_model: [],
    usage_by_agent: [],
    usage_source: null,
    messages: noMessages(),
    waiting: null,
    rollup: noRollup(),
    imported: origin.imported ?? null,
    planned_skills: origin.skills ?? [],
    metadata: origin.metadata ?? {},
  };
}
