import type { CommandState, SessionState } from '../../core/protocol/session-state.ts';
import type { Tone } from '../cells.ts';
import { durationSince, finishedDuration, timeOfDay } from '../text/numbers.ts';
import { recordLines } from '../text/record-lines.ts';
import { shown } from '../text/shown-text.ts';
import { queuePlace } from '../text/queue-place.ts';
import type { DetailField, PanelItem, PanelList } from './panel.ts';

/** The ledger of a session: what was sent, by whom, and what came of it, the newest first. */
export function commandsPanel(state: SessionState): PanelList {
  const { commands, let_go } = state;
  const newest = commands.at(-1);
  const total = commands.length + let_go.commands;
  return {
    title: total === 0 ? 'Commands' : `Commands ${total}`,
    items: commands.toReversed().map((command) => commandItem(command, queuePlace(state, command))),
    empty: 'none; H halts, and others stand here once they are sent',
    summary: newest === undefined ? [] : [{ text: `last: ${shown(newest.command_type, 20)} ${newest.status}`, tone: toneOf(newest) }],
    letGo: let_go.commands,
  };
}

function toneOf({ status }: CommandState): Tone {
  if (status === 'applied') return 'good';
  if (status === 'cancelled') return 'plain';
  return status === 'queued' || status === 'delivered' ? 'warn' : 'bad';
}

/** @param place in the queue, while the command waits there */
function commandItem(command: CommandState, place: string | undefined): PanelItem {
  const { command_id, command_type, status, by, from, parameters, error, acknowledged_by, delivered_to, created_at, updated_at } = command;
  const { resend_of, cancelled_by } = command;
  const { reason } = parameters;
  const said = place ?? shown(error ?? (typeof reason === 'string' ? reason : ''), 200);
  const name = `${shown(command_type, 20)}${parameters['dry_run'] === true ? ' preview' : ''}`;
  const tone = toneOf(command);
  return {
    key: command_id,
    cells: (style) => [
      { text: name, width: 16, tone: 'strong' },
      { text: status, width: 9, tone },
      { text: `by ${shown(by ?? '?', 60)}${said === '' ? '' : `: ${said}`}` },
      { text: `${durationSince(created_at, style.nowMs)} ago`, width: 10, align: 'right', optional: true },
    ],
    detail: () => [
      ['command', name],
      ['status', status, tone],
      ['by', shown(by ?? '?')],
      ['role', shown([from?.role, from?.address].filter((each) => each !== undefined && each !== null).join(' from '))],
      ['queue', place ?? ''],
      ['sent', timeOfDay(Date.parse(created_at))],
      ['took', tone === 'warn' ? '' : finishedDuration(Math.max(0, Date.parse(updated_at) - Date.parse(created_at)))],
      ['done by', shown(acknowledged_by ?? delivered_to ?? '')],
      ['again', resend_of === null ? '' : `sends ${shown(resend_of)} again`],
      ['taken back', cancelled_by === null ? '' : `by ${shown(cancelled_by)}`],
      ['error', shown(error ?? '', 2_000), 'bad'],
      ...recordLines(parameters).map((line, at): DetailField => [at === 0 ? 'with' : '', line]),
      ...recordLines(command.result).map((line, at): DetailField => [at === 0 ? 'result' : '', line]),
      ['id', shown(command_id)],
    ],
    copy: `${name} ${status} by ${shown(by ?? '?')}`,
  };
}
