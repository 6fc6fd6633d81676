import { clipped } from '../../core/fold/fold-values.ts';
import { initialState, type SessionState, type SkillState } from '../../core/protocol/session-state.ts';

/** The part of a state that lists of sessions show. */
export type SessionBrief = Pick<
  SessionState,
  'status' | 'task' | 'current_skill' | 'progress' | 'orchestrator' | 'skill_usage' | 'updated_at'
> & {
  open_decisions: number;
};

/** Characters of a task in a list. */
const taskChars = 200;
/** Skills that are over and kept for the brief: so many of the newest. */
const keptSkills = 50;

export function briefOf(state: SessionState): SessionBrief {
  const { status, current_skill, progress, orchestrator, skill_usage, updated_at } = state;
  const open_decisions = state.decisions.filter((decision) => decision.status === 'open').length;
  const task = state.task === null ? null : clipped(state.task, taskChars);
  return { status, task, current_skill, progress, orchestrator, skill_usage, updated_at, open_decisions };
}

/**
 * The part of a state that its brief follows from, also after further events are folded into it. It is small enough to be
 * kept for every session: long texts and the lists that no brief is made of are left out.
 */
export function briefStateOf(state: SessionState): SessionState {
  const { session_id, created_at, updated_at, started_at, ended_at, seq, status, total_steps, progress, current_skill } = state;
  const { halt, orchestrator, delegate, lost, skill_usage } = state;
  const isOld = ({ status: each }: SkillState) => each !== 'running' && each !== 'pending';
  const dropped = new Set(state.skills.filter(isOld).slice(0, -keptSkills));
  const completed = [...dropped].filter((skill) => skill.status === 'completed').length;
  return {
    ...initialState({ session_id, created_at }),
    updated_at,
    started_at,
    ended_at,
    seq,
    status,
    task: state.task === null ? null : clipped(state.task, taskChars),
    total_steps,
    progress,
    current_skill,
    orchestrator,
    delegate,
    lost,
    skill_usage,
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
