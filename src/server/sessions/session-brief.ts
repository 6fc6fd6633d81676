import { clipped } from '../../core/fold/fold-values.ts';
import { initialState, type SessionState, type SkillState } from '../../core/protocol/session-state.ts';

/** What lists of sessions show of a state as it is. */
const listedFields = [
  'status',
  'started_at',
  'ended_at',
  'archived',
  'pinned',
  'exit_code',
  'folder',
  'branch',
  'user',
  'model',
  'labels',
  'current_skill',
  'progress',
  'orchestrator',
  'skill_usage',
  'updated_at',
] as const satisfies readonly (keyof SessionState)[];

/** The part of a state that lists of sessions show. */
export type SessionBrief = Pick<SessionState, (typeof listedFields)[number] | 'task'> & {
  /** Input and output together, and dollars; null while nothing has been told of them. */
  tokens: number | null;
  cost_usd: number | null;
  open_decisions: number;
};

/** Characters of a task in a list. */
const taskChars = 200;
/** Skills that are over and kept for the brief: so many of the newest. */
const keptSkills = 50;

export function briefOf(state: SessionState): SessionBrief {
  const { usage, decisions } = state;
  const isUsed = usage.reports > 0;
  return {
    ...listedOf(state),
    open_decisions: decisions.filter(({ status }) => status === 'open').length,
    tokens: isUsed ? usage.input_tokens + usage.output_tokens : null,
    cost_usd: isUsed ? usage.cost_usd : null,
  };
}

function listedOf(state: SessionState): Pick<SessionState, (typeof listedFields)[number] | 'task'> {
  const listed = Object.fromEntries(listedFields.map((field) => [field, state[field]])) as Pick<
    SessionState,
    (typeof listedFields)[number]
  >;
  return { ...listed, task: state.task === null ? null : clipped(state.task, taskChars) };
}

/**
 * The part of a state that its brief follows from, also after further events are folded into it. It is small enough to be
 * kept for every session: long texts and the lists that no brief is made of are left out.
 */
export function briefStateOf(state: SessionState): SessionState {
  const { session_id, created_at, seq, total_steps, halt, delegate, lost, usage, usage_source, waiting, rollup } = state;
  const isOld = ({ status: each }: SkillState) => each !== 'running' && each !== 'pending';
  const dropped = new Set(state.skills.filter(isOld).slice(0, -keptSkills));
  const completed = [...dropped].filter((skill) => skill.status === 'completed').length;
  return {
    ...initialState({ session_id, created_at }),
    ...listedOf(state),
    seq,
    total_steps,
    usage,
    // Without it the same usage, told by another signal, would count again.
    usage_source,
    delegate,
    lost,
    waiting: waiting && { ...waiting, message: null },
    rollup,
    // Those that run: the rollup tells how long each took.
    agents: state.agents.filter(({ status }) => status === 'running').map((agent) => ({ ...agent, task: null, message: null })),
    halt: halt && { ...halt, reason: null },
    skills: state.skills.filter((skill) => !dropped.has(skill)).map((skill) => ({ ...skill, message: null, error: null })),
    // The fold counts those that were let go as steps that are done.
    let_go: { ...state.let_go, skills: state.let_go.skills + completed },
    decisions: state.decisions.map((decision) => ({
      ...decision,
      question: '',
      options: decision.options.map((option) => ({ ...option, description: null })),
      context: null,
      comment: null,
    })),
  };
}
