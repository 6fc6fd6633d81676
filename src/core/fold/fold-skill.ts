import type { SessionEvent } from '../protocol/event.ts';
import { errorTextOf, lengthMs, numberOf, percentOf, textField, withItem } from './fold-values.ts';
import { foldLimits } from '../protocol/limits.ts';
import type { SessionState, SkillState } from '../protocol/session-state.ts';
import { withUse } from './use-counts.ts';

/** `skill:*`: the skill itself, the current one, the usage figures and, where steps are counted, the progress. */
export function foldSkill(state: SessionState, event: SessionEvent): Partial<SessionState> | undefined {
  const skillId = textField(event.data, 'skill_id') ?? textField(event.data, 'skill_name');
  if (skillId === null) return undefined;
  const at = state.skills.findLastIndex((each) => each.skill_id === skillId);
  const known = state.skills[at];
  const skill = nextSkill(event, skillId, known);
  const changes = withItem(state, 'skills', at, skill, (each) => isOver(each) || each.status === 'lost');
  return {
    ...changes,
    current_skill: changes.skills.findLast((each) => each.status === 'running')?.skill_name ?? null,
    ...(isOver(skill) && (known === undefined || !isOver(known)) ? countedProgress(state, changes.skills) : {}),
    ...countedUsage(state, event.type, skill),
  };
}

function isOver(skill: SkillState): boolean {
  return skill.status === 'completed' || skill.status === 'failed';
}

function nextSkill({ type, data, timestamp }: SessionEvent, skillId: string, known: SkillState | undefined): SkillState {
  const base: SkillState = {
    skill_id: skillId,
    skill_name: textField(data, 'skill_name') ?? known?.skill_name ?? skillId,
    status: known?.status ?? 'running',
    progress: percentOf(data, 'progress') ?? known?.progress ?? null,
    message: textField(data, 'message') ?? known?.message ?? null,
    agent_id: textField(data, 'agent_id') ?? known?.agent_id ?? null,
    step_index: numberOf(data, 'step_index') ?? known?.step_index ?? null,
    started_at: known?.started_at ?? null,
    ended_at: known?.ended_at ?? null,
    duration_ms: known?.duration_ms ?? null,
    error: known?.error ?? null,
  };
  switch (type) {
    case 'skill:started':
      return {
        ...base,
        status: 'running',
        progress: null,
        message: null,
        started_at: timestamp,
        ended_at: null,
        duration_ms: null,
        error: null,
      };
    case 'skill:injected':
      return known === undefined ? { ...base, status: 'pending' } : base;
    case 'skill:completed':
    case 'skill:failed':
      return {
        ...base,
        status: type === 'skill:completed' ? 'completed' : 'failed',
        progress: type === 'skill:completed' ? 100 : base.progress,
        ended_at: timestamp,
        duration_ms: lengthMs(data, base.started_at, timestamp),
        error: type === 'skill:failed' ? errorTextOf(data, 'error') : null,
      };
    default:
      return base.status === 'lost'
        ? { ...base, status: 'running', ended_at: null }
        : { ...base, started_at: base.started_at ?? timestamp };
  }
}

/** Progress by steps, for a run that announced how many there are and never said how far it is. */
function countedProgress(state: SessionState, skills: readonly SkillState[]): Partial<SessionState> {
  if (state.total_steps === null || state.total_steps <= 0) return {};
  const done = skills.filter((skill) => skill.status === 'completed').length + state.let_go.skills;
  return { progress: Math.max(state.progress ?? 0, Math.min(100, Math.round((done / state.total_steps) * 100))) };
}

function countedUsage(state: SessionState, type: string, { skill_name, duration_ms }: SkillState): Partial<SessionState> {
  if (type !== 'skill:started' && type !== 'skill:completed' && type !== 'skill:failed') return {};
  const step = type === 'skill:started' ? 'started' : type === 'skill:completed' ? 'completed' : 'failed';
  const use = { step, timedMs: step === 'completed' ? duration_ms : null } as const;
  const skill_usage = withUse(state.skill_usage, { skill_name }, (each) => each.skill_name === skill_name, use, foldLimits.skillUsage);
  return skill_usage === undefined ? {} : { skill_usage };
}
