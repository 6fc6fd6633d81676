import type { CommandStatus, CommandType } from './command.ts';

/**
 * created -> running -> halting -> halted -> running ... -> completed | failed. `lost`: nobody is attached and nothing was
 * heard of it for a while; its next event brings it back.
 */
export type SessionStatus = 'created' | 'running' | 'halting' | 'halted' | 'lost' | 'completed' | 'failed';

export interface SkillState {
  skill_id: string;
  skill_name: string;
  /** `pending`: injected, not started yet. `lost`: its run ended, or was lost, before its end was told. */
  status: 'pending' | 'running' | 'lost' | 'completed' | 'failed';
  progress: number | null;
  message: string | null;
  agent_id: string | null;
  step_index: number | null;
  started_at: string | null;
  ended_at: string | null;
  duration_ms: number | null;
  error: string | null;
}

export interface AgentState {
  agent_id: string;
  role: string | null;
  task: string | null;
  skill_name: string | null;
  status: 'running' | 'lost' | 'completed' | 'failed';
  progress: number | null;
  message: string | null;
  tokens: number | null;
  cost_usd: number | null;
  started_at: string;
  updated_at: string;
  ended_at: string | null;
  duration_ms: number | null;
}

export interface FileState {
  path: string;
  /** What happened to the file over the whole session: created and modified since is still `created`. */
  change: 'created' | 'modified' | 'deleted';
  lines_added: number;
  lines_removed: number;
  /** How many events touched it. */
  changes: number;
  agent_id: string | null;
  updated_at: string;
}

export interface DecisionOption {
  id: string;
  label: string;
  description: string | null;
  recommended: boolean;
}

export interface DecisionState {
  decision_id: string;
  question: string;
  options: DecisionOption[];
  default: string | null;
  context: unknown;
  agent_id: string | null;
  asked_at: string;
  /** The event that asked: the same id may be asked again once this is forgotten. */
  seq: number;
  /** When the server answers with the default; null: it stays open. */
  deadline: string | null;
  status: 'open' | 'made';
  choice: string | null;
  made_by: string | null;
  made_at: string | null;
  comment: string | null;
  /** The last answer that a producer gave and that names none of the options: it does not count. */
  ignored_choice: string | null;
}

export interface ValidationState {
  check_name: string;
  status: 'running' | 'lost' | 'passed' | 'failed';
  command: string | null;
  message: string | null;
  exit_code: number | null;
  /** The last lines of its output, oldest first. */
  lines: { stream: 'stdout' | 'stderr'; line: string }[];
  started_at: string;
  ended_at: string | null;
  duration_ms: number | null;
}

export interface CheckpointState {
  checkpoint_id: string;
  label: string | null;
  step: number | null;
  /** How many files it holds, where the producer says so. */
  files: number | null;
  created_at: string;
  seq: number;
}

export interface CommandState {
  command_id: string;
  command_type: CommandType;
  status: CommandStatus;
  by: string | null;
  parameters: Record<string, unknown>;
  result: unknown;
  error: string | null;
  acknowledged_by: string | null;
  /** The orchestrator instance that has it, once delivered. */
  delivered_to: string | null;
  /** The orchestrator instance whose run it is meant for; null where none was known, or nothing had begun, when it was sent. */
  for_instance: string | null;
  created_at: string;
  updated_at: string;
}

export interface OrchestratorState {
  attached: boolean;
  instance_id: string | null;
  capabilities: string[];
  last_seen: string;
}

export interface SkillUsage {
  skill_name: string;
  started: number;
  completed: number;
  failed: number;
  /** Sum over the completed runs whose length is known, in seconds, and their number. */
  duration_s: number;
  durations: number;
}

/** What was let go from each list to keep it bounded. */
export type LetGo = Record<'skills' | 'agents' | 'files' | 'decisions' | 'validations' | 'checkpoints' | 'commands', number>;

/** A session as its journal tells it: the result of `fold`, the same in server, terminal, page and SDK. */
export interface SessionState {
  session_id: string;
  status: SessionStatus;
  created_at: string;
  updated_at: string;
  started_at: string | null;
  ended_at: string | null;
  seq: number;
  task: string | null;
  plan_id: string | null;
  total_steps: number | null;
  /** 0 to 100, null while nothing is known. */
  progress: number | null;
  message: string | null;
  result: unknown;
  error: string | null;
  current_skill: string | null;
  /** The HALT in force, or on its way. `from` is the status to go back to when it fails. */
  halt: { reason: string | null; command_id: string | null; by: string | null; since: string; from: SessionStatus } | null;
  redirect: { target_skill: string | null; target_path: string | null; instructions: string | null; by: string | null; at: string } | null;
  rollback: { checkpoint_id: string | null; steps: number | null; by: string | null; at: string } | null;
  orchestrator: OrchestratorState | null;
  /** Since when it is lost, and the status that it comes back to. */
  lost: { since: string; from: SessionStatus } | null;
  skills: SkillState[];
  agents: AgentState[];
  files: FileState[];
  decisions: DecisionState[];
  validations: ValidationState[];
  checkpoints: CheckpointState[];
  commands: CommandState[];
  let_go: LetGo;
  skill_usage: SkillUsage[];
  /** What the session was created with. */
  planned_skills: string[];
  metadata: Record<string, unknown>;
}

/** What a session is before its first event. */
export interface SessionOrigin {
  session_id: string;
  created_at: string;
  skills?: string[] | undefined;
  metadata?: Record<string, unknown> | undefined;
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
    current_skill: null,
    halt: null,
    redirect: null,
    rollback: null,
    orchestrator: null,
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
    planned_skills: origin.skills ?? [],
    metadata: origin.metadata ?? {},
  };
}

/** Live: neither ended nor lost, so that a command can still reach it. */
export function isLive(status: SessionStatus): boolean {
  return !isEnded(status) && status !== 'lost';
}

/** Ended: its program has said so. Only a new start brings it back. */
export function isEnded(status: SessionStatus): boolean {
  return status === 'completed' || status === 'failed';
}
