import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { readTargets, type Target } from '../../../server/notifications/notification-settings.ts';
import { testMessage } from '../../../server/notifications/targets/test-message.ts';
import { tell } from '../../../server/notifications/targets/tell.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure, usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { notifyFile } from '../../settings/notify-file.ts';
import { tellDesktop } from '../../terminal/desktop.ts';
import { tableLines } from '../../terminal/table.ts';
import type { NotifyAction, NotifyOptions } from './definition.ts';

/** What came of a trial. */
interface Trial {
  target: string;
  kind: string;
  told: boolean;
  reason?: string;
}

/** Lists the targets of the server's notifications, or tells them that this is a test. */
export async function notify(invocation: Invocation<NotifyOptions>): Promise<number | void> {
  const [action, name] = invocation.args as [NotifyAction, string | undefined];
  if (action === 'list') return list(invocation, name);
  return test(invocation, name);
}

async function list({ output }: Invocation<NotifyOptions>, name: string | undefined): Promise<void> {
  const targets = [...targetsNamed(name)].map(([target, { kind, url, events, sessions }]) => ({
    name: target,
    kind,
    // What follows the host is a secret of some.
    host: new URL(url).host,
    events,
    sessions,
  }));
  if (output.isJson) {
    output.document({ targets });
    return;
  }
  const rows = targets.map((each) => [each.name, each.kind, each.host, each.sessions.join(' '), each.events.join(' ')]);
  for (const line of await tableLines(['TARGET', 'KIND', 'HOST', 'SESSIONS', 'EVENTS'], rows, output)) output.line(line);
}

async function test({ options, output }: Invocation<NotifyOptions>, name: string | undefined): Promise<number | void> {
  const message = testMessage();
  const trials: Trial[] = [];
  if (options.desktop === true) {
    const reason = await tellDesktop(message.notification);
    trials.push({ target: 'desktop', kind: 'desktop', told: reason === undefined, ...(reason === undefined ? {} : { reason }) });
  }
  if (options.desktop !== true || name !== undefined) {
    const { signal } = new AbortController();
    for (const [target, each] of targetsNamed(name)) {
      const outcome = await tell(each, message, signal);
      trials.push({ target, kind: each.kind, told: outcome.kind === 'told', ...('reason' in outcome ? { reason: outcome.reason } : {}) });
    }
  }
  if (output.isJson) output.document({ trials });
  else {
    for (const { target, kind, told, reason } of trials)
      output.line(
        `${output.paint(told ? 'good' : 'bad', told ? 'told' : 'failed')}  ${target}  ${kind}${reason === undefined ? '' : `: ${reason}`}`,
      );
  }
  return trials.every(({ told }) => told) ? undefined : exitCodes.refused;
}

/** The targets of the file, or one of them. @throws Failure there is none */
function targetsNamed(name: string | undefined): ReadonlyMap<string, Target> {
  const path = notifyFile();
  const targets = readFile(path);
  if (targets.size === 0) {
    throw new Failure('NOT_FOUND', `there are no targets: ${path} names none`, {
      hints: [
        'write it for you alone (chmod 600), such as:',
        '  {"targets": {"phone": {"kind": "ntfy", "url": "https://ntfy.sh/MY-TOPIC"}}}',
        'other kinds: webhook, slack; all of it: docs/notifications.md',
        'the desktop needs no file: shannon-dash notify test --desktop',
      ],
      exitCode: exitCodes.notFound,
    });
  }
  const target = name === undefined ? undefined : targets.get(name);
  if (name === undefined) return targets;
  if (target === undefined) throw usageFailure(`there is no target "${name}"`, `there are: ${[...targets.keys()].join(', ')}`);
  return new Map([[name, target]]);
}

function readFile(path: string): ReadonlyMap<string, Target> {
  try {
    return readTargets(path);
  } catch (cause) {
    if (!(cause instanceof ShannonDashError)) throw cause;
    throw new Failure(cause.code, cause.message, {
      hints: ['docs/notifications.md shows how it is written'],
      exitCode: exitCodes.refused,
      cause,
    });
  }
}
