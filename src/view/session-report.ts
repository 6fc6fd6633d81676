import { isEnded, type CommandState, type DecisionState, type SessionState } from '../core/protocol/session-state.ts';
import type { Span, Tone } from './cells.ts';
import { openDecisions } from './decision-prompt.ts';
import { skillCounts } from './panels/skills-panel.ts';
import { ranMs, statusSpan } from './status-line.ts';
import type { Style } from './style.ts';
import { count, counted, duration, finishedDuration } from './text/numbers.ts';
import { shown } from './text/shown-text.ts';

/** A line of a report: what it is about, and what is said. Lines below another one of the same subject have none. */
export interface ReportLine {
  label: string;
  spans: readonly Span[];
}

/** How much a report tells. */
export interface ReportSize {
  /** Items of each kind. */
  items: number;
  /** Of the last lines of each failed check. */
  checkLines: number;
}

const wholeReport: ReportSize = { items: 8, checkLines: 5 };

/** All that matters of one session, on a screen: how it stands, what it did, what failed and why, who decided and commanded what. */
export function sessionReport(state: SessionState, style: Style, size: ReportSize = wholeReport): ReportLine[] {
  return [
    ...outline(state, style),
    ...waiting(state, size),
    ...skills(state, style, size),
    ...checks(state, style, size),
    ...agents(state, size),
    ...tools(state, size),
    ...files(state, size),
    ...decisions(state, size),
    ...commands(state, size),
    ...checkpoints(state),
  ];
}

function line(label: string, text: string, tone?: Tone): ReportLine {
  return { label, spans: [{ text, tone }] };
}

/** The first line bears the label. A line says how many are not named. */
function list(label: string, lines: readonly Span[][], total: number, { items }: ReportSize): ReportLine[] {
  const named = lines.slice(0, items);
  const more = total - named.length;
  const all = more > 0 ? [...named, [{ text: `and ${count(more)} more` }]] : named;
  return all.map((spans, at) => ({ label: at === 0 ? label : '', spans }));
}

function outline(state: SessionState, style: Style): ReportLine[] {
  const { started_at, created_at, ended_at, exit_code, error, task, folder, branch, user, model, labels, usage } = state;
  const progress = state.progress === null || isEnded(state.status) ? '' : `  ${Math.round(state.progress)}%`;
  const exit = exit_code === null ? '' : `  exit code ${exit_code}`;
  const times = `started ${shownTime(started_at ?? created_at)}${ended_at === null ? '' : `, ended ${shownTime(ended_at)}`}`;
  const place = [folder, branch === null ? null : `on ${branch}`, user === null ? null : `by ${user}`].filter((each) => each !== null);
  const cost = usage.cost_usd === 0 ? '' : `, $${usage.cost_usd.toFixed(2)}`;
  return [
    {
      label: 'status',
      spans: [statusSpan(state.status, style), { text: `${exit}${progress}  after ${duration(ranMs(state, style.nowMs))}` }],
    },
    line('time', times),
    ...(task === null ? [] : [line('task', shown(task, 400), 'strong')]),
    ...(error === null ? [] : [line('why', shown(error, 1_000), 'bad')]),
    ...(typeof state.result === 'string' && state.result !== '' ? [line('result', shown(state.result, 1_000))] : []),
    ...(place.length === 0 ? [] : [line('where', shown(place.join(' '), 400))]),
    ...(state.pinned ? [line('pinned', 'retention leaves it alone')] : []),
    ...(labels.length === 0 ? [] : [line('labels', shown(labels.join(', '), 400))]),
    ...(model === null ? [] : [line('model', shown(model, 100))]),
    ...(usage.reports === 0
      ? []
      : [
          line(
            'tokens',
            `${count(usage.input_tokens)} in, ${count(usage.output_tokens)} out, ${count(usage.cache_read_tokens)} from the cache${cost}`,
          ),
        ]),
  ];
}

function waiting(state: SessionState, size: ReportSize): ReportLine[] {
  const asked = openDecisions(state).map((decision): Span[] => [
    { text: `! ${shown(decision.question, 300)}`, tone: 'warn' },
    { text: `  ${decision.options.map(({ id }) => shown(id, 60)).join(' | ')}  (${shown(decision.decision_id, 80)})` },
  ]);
  const halt =
    state.halt === null ? [] : [line('halted', `by ${shown(state.halt.by ?? 'somebody', 60)}${reason(state.halt.reason)}`, 'warn')];
  return [...list('asks', asked, asked.length, size), ...halt];
}

function skills(state: SessionState, style: Style, size: ReportSize): ReportLine[] {
  const { done, failed, total } = skillCounts(state);
  if (total === 0) return [];
  const lines = state.skills
    .filter(({ status }) => status === 'failed' || status === 'running')
    .toSorted((one, other) => Number(other.status === 'failed') - Number(one.status === 'failed'))
    .map((skill): Span[] => [
      skill.status === 'failed'
        ? { text: `${style.glyphs.failed} ${shown(skill.skill_name, 80)}`, tone: 'bad' }
        : { text: `${style.glyphs.running} ${shown(skill.skill_name, 80)}`, tone: 'active' },
      { text: `  ${[finishedDuration(skill.duration_ms), shown(skill.error ?? skill.message ?? '', 400)].filter(Boolean).join('  ')}` },
    ]);
  return [line('skills', `${done} of ${total} done, ${failed} failed`), ...list('', lines, lines.length, size)];
}

function checks(state: SessionState, style: Style, { items, checkLines }: ReportSize): ReportLine[] {
  const { validations } = state;
  if (validations.length === 0) return [];
  const failed = validations.filter(({ status }) => status === 'failed');
  const passed = validations.filter(({ status }) => status === 'passed').length;
  return [
    line('checks', `${passed} of ${validations.length + state.let_go.validations} passed`),
    ...failed.slice(0, items).flatMap((check): ReportLine[] => [
      {
        label: '',
        spans: [
          { text: `${style.glyphs.failed} ${shown(check.check_name, 80)}`, tone: 'bad' },
          { text: `  ${[finishedDuration(check.duration_ms), shown(check.message ?? '', 400)].filter(Boolean).join('  ')}` },
        ],
      },
      ...check.lines.slice(-checkLines).map((each) => line('', `    ${shown(each.line, 300)}`)),
    ]),
  ];
}

function agents(state: SessionState, size: ReportSize): ReportLine[] {
  const lines = state.agents.map((agent): Span[] => {
    const used = state.usage_by_agent.find(({ agent_id }) => agent_id === agent.agent_id);
    const tokens = agent.tokens ?? (used === undefined ? null : used.input_tokens + used.output_tokens);
    const cost = agent.cost_usd ?? used?.cost_usd ?? null;
    const figures = [tokens === null ? '' : `${count(tokens)} tokens`, cost === null ? '' : `$${cost.toFixed(2)}`].filter(Boolean);
    return [
      { text: shown(agent.agent_id, 60), tone: 'strong' },
      { text: `  ${[agent.status, ...figures, shown(agent.message ?? agent.task ?? agent.role ?? '', 200)].filter(Boolean).join('  ')}` },
    ];
  });
  return list('agents', lines, lines.length + state.let_go.agents, size);
}

function tools({ tool_usage: usages }: SessionState, { items }: ReportSize): ReportLine[] {
  const most = usages.toSorted((one, other) => other.started - one.started).slice(0, items);
  const told = most.map(
    ({ tool_name, started, failed }) => `${shown(tool_name, 40)} ${count(started)}${failed > 0 ? ` (${count(failed)} failed)` : ''}`,
  );
  return told.length === 0 ? [] : [line('tools', told.join(', '))];
}

function files(state: SessionState, size: ReportSize): ReportLine[] {
  const letters = { created: 'A', modified: 'M', deleted: 'D' };
  const lines = state.files.toReversed().map((file): Span[] => {
    const isCounted = file.lines_added + file.lines_removed > 0;
    return [
      { text: `${letters[file.change]} ${shown(file.path, 200)}${isCounted ? `  +${file.lines_added} -${file.lines_removed}` : ''}` },
    ];
  });
  return list('files', lines, lines.length + state.let_go.files, size);
}

function decisions(state: SessionState, size: ReportSize): ReportLine[] {
  const made = state.decisions.filter(({ status }) => status === 'made');
  return list('decided', made.toReversed().map(decided), made.length + state.let_go.decisions, size);
}

function decided({ question, choice, made_by, asked_at, made_at, comment }: DecisionState): Span[] {
  const waited = made_at === null ? Number.NaN : Date.parse(made_at) - Date.parse(asked_at);
  return [
    { text: `${shown(question, 200)}  ` },
    { text: shown(choice ?? '', 100), tone: 'strong' },
    { text: ` by ${shown(made_by ?? '?', 60)}${Number.isNaN(waited) ? '' : ` after ${duration(waited)}`}${reason(comment)}` },
  ];
}

function commands(state: SessionState, size: ReportSize): ReportLine[] {
  const lines = state.commands.toReversed().map(commanded);
  return list('commands', lines, lines.length + state.let_go.commands, size);
}

function commanded({ command_type, status, by, created_at, error, parameters }: CommandState): Span[] {
  const why = error ?? (typeof parameters['reason'] === 'string' ? parameters['reason'] : null);
  const tone = status === 'applied' ? 'good' : status === 'queued' || status === 'delivered' ? 'warn' : 'bad';
  return [
    { text: `${shownTime(created_at)}  ${shown(command_type, 20)} ` },
    { text: status, tone },
    { text: ` by ${shown(by ?? '?', 60)}${reason(why)}` },
  ];
}

function checkpoints({ checkpoints: all, let_go }: SessionState): ReportLine[] {
  const newest = all.at(-1);
  if (newest === undefined) return [];
  const label = newest.label === null ? '' : ` (${shown(newest.label, 100)})`;
  return [
    line('saved', `${counted(all.length + let_go.checkpoints, 'checkpoint')}, the last one ${shown(newest.checkpoint_id, 80)}${label}`),
  ];
}

function reason(text: string | null): string {
  return text === null || text === '' ? '' : `: ${shown(text, 200)}`;
}

/** `2026-01-31 14:03:11`, by the clock of this machine. */
function shownTime(timestamp: string): string {
  const at = new Date(timestamp);
  if (Number.isNaN(at.getTime())) return '?';
  const two = (value: number) => value.toString().padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
