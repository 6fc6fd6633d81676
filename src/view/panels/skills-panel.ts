import type { SessionState, SkillState } from '../../core/protocol/session-state.ts';
import { isAgentSession } from '../agents/agent-session.ts';
import { durationSince, finishedDuration } from '../text/numbers.ts';
import type { PanelItem, PanelList } from './panel.ts';
import { toolsPanel } from './tools-panel.ts';
import { shown } from '../text/shown-text.ts';
import type { Tone } from '../cells.ts';
import type { Style } from '../style.ts';

const order: Record<SkillState['status'], number> = { failed: 0, running: 1, lost: 2, pending: 3, completed: 4 };
const words: Record<SkillState['status'], { word: string; tone: Tone; glyph: 'running' | 'failed' | 'away' | 'pending' | 'done' }> = {
  running: { word: 'running', tone: 'active', glyph: 'running' },
  failed: { word: 'failed', tone: 'bad', glyph: 'failed' },
  lost: { word: 'lost', tone: 'warn', glyph: 'away' },
  pending: { word: 'waiting', tone: 'plain', glyph: 'pending' },
  completed: { word: 'done', tone: 'good', glyph: 'done' },
};

/** How many skills are done or failed, and how many there are: as the plan says, or as far as the events tell. */
export function skillCounts(state: SessionState): { done: number; failed: number; total: number } {
  const failed = state.skills.filter((skill) => skill.status === 'failed').length;
  const done = state.skills.filter((skill) => skill.status === 'completed').length + state.let_go.skills;
  const known = state.skills.length + state.let_go.skills;
  return { done, failed, total: Math.max(known, state.total_steps ?? 0, state.planned_skills.length) };
}

/**
 * The skills of a session: failed ones first, then running, waiting and done ones, the latest first. Of an agent that has none: its
 * tool calls.
 */
export function skillsPanel(state: SessionState): PanelList {
  if (state.skills.length === 0 && state.planned_skills.length === 0 && isAgentSession(state)) return toolsPanel(state);
  const { done, failed, total } = skillCounts(state);
  const skills = state.skills.toSorted((a, b) => order[a.status] - order[b.status] || (b.ended_at ?? '').localeCompare(a.ended_at ?? ''));
  const current = skills.find(({ status }) => status === 'running') ?? skills[0];
  return {
    title: total === 0 ? 'Skills' : `Skills ${done}/${total}`,
    items: skills.map(skillItem),
    empty: 'none; its steps show here',
    summary:
      current === undefined
        ? []
        : [
            ...(failed === 0 ? [] : [{ text: `${failed} failed  `, tone: 'bad' as const }]),
            { text: `${shown(current.skill_name)} ${words[current.status].word}`, tone: words[current.status].tone },
          ],
    letGo: state.let_go.skills,
  };
}

function skillItem(skill: SkillState): PanelItem {
  const { word, tone, glyph } = words[skill.status];
  const name = shown(skill.skill_name);
  return {
    key: skill.skill_id,
    cells: (style) => [
      { text: style.glyphs[glyph], width: 1, tone },
      { text: name },
      {
        text: shown(skill.error ?? skill.message ?? ''),
        width: { oneOf: 2, least: 20, most: 60 },
        leastRowWidth: 64,
        tone: skill.status === 'failed' ? 'bad' : 'plain',
      },
      {
        text: skill.status === 'running' && skill.progress !== null ? `${Math.round(skill.progress)}%` : '',
        width: 4,
        align: 'right',
        optional: true,
      },
      { text: word, width: 7, tone },
      { text: lasted(skill, style), width: 6, align: 'right', optional: true },
    ],
    detail: (style) => [
      ['skill', name],
      ...(skill.skill_id === skill.skill_name ? [] : [['id', shown(skill.skill_id)] as const]),
      ['status', word],
      ['progress', skill.progress === null ? '' : `${Math.round(skill.progress)}%`],
      ['time', lasted(skill, style)],
      ['agent', shown(skill.agent_id ?? '')],
      ['step', skill.step_index === null ? '' : String(skill.step_index)],
      ['started', skill.started_at ?? ''],
      ['ended', skill.ended_at ?? ''],
      ['message', shown(skill.message ?? '', 2_000)],
      ['error', shown(skill.error ?? '', 2_000)],
    ],
    lastEvent:
      skill.ended_at === null
        ? undefined
        : {
            types: 'skill:completed,skill:failed',
            isOne: (data) => (data['skill_id'] ?? data['skill_name'] ?? data['skill']) === skill.skill_id,
          },
    copy: skill.error === null ? name : `${name}: ${shown(skill.error, 2_000)}`,
  };
}

function lasted(skill: SkillState, style: Style): string {
  return skill.status === 'running' ? durationSince(skill.started_at, style.nowMs) : finishedDuration(skill.duration_ms);
}
