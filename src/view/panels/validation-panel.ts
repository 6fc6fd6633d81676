import type { SessionState, ValidationState } from '../../core/protocol/session-state.ts';
import { durationSince, finishedDuration } from '../text/numbers.ts';
import type { DetailField, PanelItem, PanelList } from './panel.ts';
import { shown } from '../text/shown-text.ts';
import type { Tone } from '../cells.ts';
import type { Style } from '../style.ts';

const order: Record<ValidationState['status'], number> = { failed: 0, running: 1, lost: 2, passed: 3 };
const tones: Record<ValidationState['status'], Tone> = { failed: 'bad', running: 'active', lost: 'warn', passed: 'good' };

/** The checks of a session: failed ones first, then running ones, then passed ones, the latest first. */
export function validationPanel(state: SessionState): PanelList {
  const checks = state.validations.toSorted((a, b) => order[a.status] - order[b.status] || b.started_at.localeCompare(a.started_at));
  const failed = checks.filter((check) => check.status === 'failed').length;
  const passed = checks.filter((check) => check.status === 'passed').length;
  return {
    title: checks.length === 0 ? 'Validation' : `Validation ${passed}/${checks.length}`,
    items: checks.map(checkItem),
    empty: 'none; tests and checks show here',
    summary: checks.length === 0 ? [] : [{ text: `${failed} failed, ${passed} passed`, tone: failed > 0 ? 'bad' : 'good' }],
    letGo: state.let_go.validations,
  };
}

function checkItem(check: ValidationState): PanelItem {
  const name = shown(check.check_name);
  const last = check.lines.at(-1)?.line ?? '';
  const said = shown(check.message ?? last);
  const tone = tones[check.status];
  return {
    key: check.check_name,
    cells: (style) => [
      { text: glyphOf(check, style), width: 1, tone },
      { text: name, width: { oneOf: 3, least: 6, most: 20 } },
      { text: check.status, width: 7, tone },
      { text: said },
      { text: lasted(check, style), width: 6, align: 'right', optional: true },
    ],
    detail: (style) => [
      ['check', name],
      ['status', check.status],
      ['command', shown(check.command ?? '', 2_000)],
      ['message', shown(check.message ?? '', 2_000)],
      ['exit code', check.exit_code === null ? '' : String(check.exit_code)],
      ['time', lasted(check, style)],
      ...check.lines.map((line): DetailField => [line.stream, shown(line.line, 2_000)]),
    ],
    copy: `${name} ${check.status}${said === '' ? '' : `: ${said}`}`,
  };
}

function glyphOf(check: ValidationState, style: Style): string {
  const { failed, done: passed, running, away: lost } = style.glyphs;
  return { failed, passed, running, lost }[check.status];
}

function lasted(check: ValidationState, style: Style): string {
  return check.status === 'running' ? durationSince(check.started_at, style.nowMs) : finishedDuration(check.duration_ms);
}
