import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { isatty, ReadStream } from 'node:tty';
import { Socket } from 'node:net';
import { connectPublisher, type Publisher } from '../../../client/orchestrator/publisher.ts';
import { ownCommand } from '../../../executable/own-program.ts';
import { OutputLines } from '../../../run/output/output-lines.ts';
import { redactionOf } from '../../../run/output/redaction-patterns.ts';
import type { OutputPassage } from '../../../run/output/output-passage.ts';
import { withoutInheritedDescriptors } from '../../../run/program/inherited-state.ts';
import type { Invocation } from '../../invocation.ts';
import { LocalServer } from '../../server-access/local-server.ts';
import type { RunOptions } from './definition.ts';

/** Events on their way beyond which lines are counted instead of told. */
const waitingEvents = 50;
/** How long the last lines may take. */
const lastLinesMs = 2_000;

/** Where the output goes on to, and as whose. */
interface LeftTo {
  url: string;
  session: string;
  token: string | undefined;
  redacted: { isByItself: boolean; patterns: readonly string[] };
}

/**
 * A program has ended, and its child processes still hold its output. A process of its own passes that output on for as long
 * as it comes, so that the caller of `run` can go on, and the child processes meet no closed pipe.
 */
export function leaveToPassOn(passages: readonly OutputPassage[], { url, session, token, redacted }: LeftTo): void {
  const open = passages.filter(({ descriptor }) => descriptor >= 0);
  if (open.length === 0) return;
  const streams = open.map(({ stream }, index) => `${stream}:${index + 3}`).join(',');
  const redaction = [...(redacted.isByItself ? [] : ['--no-redact']), ...redacted.patterns.map((pattern) => `--redact=${pattern}`)];
  const nothing = openSync(devNull, 'r+');
  const [file, args] = ownCommand('run', '-s', session, ...redaction, '--late-output', streams, '--', 'late-output');
  const child = spawn(file, args, {
    detached: true,
    env: { ...process.env, SHANNON_DASH_URL: url, SHANNON_DASH_TOKEN: token },
    stdio: withoutInheritedDescriptors(['ignore', 1, 2, ...open.map(({ descriptor }) => descriptor)], nothing),
  });
  child.on('error', () => undefined).unref();
  closeSync(nothing);
}

/** Passes on, and publishes, the output that arrives at the descriptors that a run has left. */
export async function passLateOutput({ options, settings }: Invocation<RunOptions>): Promise<number> {
  const { url, token, client } = settings;
  const session = options.session ?? '';
  let publisher: Publisher | undefined;
  const connected = new LocalServer(settings, () => undefined)
    .reach()
    .then(() => connectPublisher({ url, token, client, session }))
    .then(
      (made) => (publisher = made),
      () => undefined,
    );
  const redaction = await redactionOf({ hasBuiltIn: options.redactsByItself !== false, patterns: settings.redact });
  const output = new OutputLines(
    (batch) => void publisher?.publish('process:output', { ...batch }).catch(() => undefined),
    () => publisher !== undefined && publisher.pending < waitingEvents,
    redaction,
  );
  const sources = (options.lateOutput ?? '').split(',').map((each) => each.split(':') as ['stdout' | 'stderr', string]);
  await Promise.all(
    sources.map(async ([stream, number]) => {
      const descriptor = Number(number);
      const isTerminal = isatty(descriptor);
      const from = isTerminal ? new ReadStream(descriptor) : new Socket({ fd: descriptor, readable: true, writable: false });
      const to = process[stream];
      await new Promise<void>((resolve) => {
        from.on('error', () => from.destroy()).once('close', () => resolve());
        from.on('data', (bytes: Buffer) => {
          output.write(stream, bytes);
          // Our own terminal makes the line ends, and this one has made them already.
          const shown = isTerminal ? Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1') : bytes;
          if (to.write(shown)) return;
          from.pause();
          to.once('drain', () => from.resume());
        });
      });
    }),
  );
  await connected;
  output.close();
  await publisher?.close(lastLinesMs);
  return 0;
}
