import { basename } from 'node:path';
import { hostname } from 'node:os';
import type { ConnectOptions } from '../client/connection/connection.ts';
import { connectOrchestrator } from '../client/orchestrator/orchestrator.ts';
import type { Orchestrator } from '../client/orchestrator/orchestrator-contract.ts';
import { readEnvironment } from '../client/environment.ts';
import { maskPasswords } from '../core/text/mask-passwords.ts';
import { CheckpointAnnouncements } from './checkpoints/checkpoint-announcements.ts';
import { startChildProgram } from './program/child-program.ts';
import { ChildTree } from './tree/child-tree.ts';
import { startFileEvents } from './files/file-events.ts';
import { forwardSignals, type ForwardedSignals, type SupervisedProgram } from './tree/forwarded-signals.ts';
import { endAllGit } from './git/git-process.ts';
import { enterLiveRuns, liveRunsFolder } from './live-runs.ts';
import { OutputLines } from './output/output-lines.ts';
import type { OutputPassage } from './output/output-passage.ts';
import { readOwnStart } from './program/own-start.ts';
import type { ProgramEnd } from './program/program-end.ts';
import { ServerRestorer } from './server-restorer.ts';
import { ProgramCheckpoints } from './checkpoints/program-checkpoints.ts';

/** Events on their way beyond which output waits until a batch of it is full: the server is slow, or away. */
const slowEvents = 50;
/** Beyond these, lines of output, and then changes of files, are counted instead of kept: the rest is for what must not be lost. */
const outputEvents = 2_000;
const outputChars = 8 * 1024 * 1024;
/** How long the program waits for a server that answered a moment ago. */
const attachMs = 5_000;
/** How long the last events may take after the program has ended. */
const lastEventsMs = 2_000;

export interface SuperviseOptions extends ConnectOptions {
  url: string;
  session: string;
  command: string;
  args: readonly string[];
  checkpoints: 'git' | 'none';
  /** Whether the session may be taken from another run that is attached to it. */
  takesOver: boolean;
  /** Whether changes of files below the working folder become events. */
  watchesFiles: boolean;
  /** The user's, for what outlives the run. */
  stateFolder: string;
  /** Absolute paths of files that are none of the program's, the server's own: not watched, and in no checkpoint. */
  leftOut: readonly string[];
  /** For people, one sentence at a time. */
  onNote: (sentence: string) => void;
  /** False: no server answers, and the program starts without waiting for one. */
  waitsForServer: boolean;
  /** Takes over output into which others may still write, before our own end of it is closed. */
  leave: (passages: readonly OutputPassage[]) => void;
  /** The PATH of the program. */
  programPath: string | undefined;
  /** Called while no server answers: starts one with the same journal, where that is possible. */
  restoreServer?: () => Promise<void>;
}

/** How a supervised program ended; `undelivered` events never reached the server. */
export interface SuperviseResult extends ProgramEnd {
  undelivered: number;
}

/**
 * Runs a program as a session: its output, its files and its end become events, and operators can stop it, let it go on
 * and roll its files back. The program goes on whatever happens to the server.
 * @throws ShannonDashError when the session cannot be attached; Error when checkpoints or the program cannot be started
 */
export async function supervise(options: SuperviseOptions): Promise<SuperviseResult> {
  const { url, session, command, args, stateFolder, onNote } = options;
  // Who acknowledges a HALT: people recognise it, and no two runs share it.
  const instanceId = `run-${process.pid}@${hostname()}`;
  const cwd = process.cwd();
  const liveRuns = await enterLiveRuns(stateFolder, { session, instanceId, within: readEnvironment().run, cwd });
  const leftOut = [...options.leftOut, liveRunsFolder(stateFolder)];
  const checkpoints =
    options.checkpoints === 'git'
      ? await ProgramCheckpoints.open({ cwd, sessionId: session, stateFolder, url, leftOut }, liveRuns)
      : undefined;
  const run = await connectOrchestrator({
    url,
    session,
    token: options.token,
    client: options.client,
    instanceId,
    capabilities: ['HALT', 'RESUME', 'DECISION', ...(checkpoints === undefined ? [] : ['ROLLBACK'])],
    takeOver: options.takesOver,
    onUnreachable: 'continue',
    unreachableMs: options.waitsForServer ? attachMs : 0,
  });
  let hasProblem = false;
  run.onProblem(({ error, event }) => {
    if (event !== undefined && !hasProblem) onNote(`an event was not kept: ${error.message}`);
    hasProblem ||= event !== undefined;
  });
  run.onSuperseded(() => onNote('another orchestrator has taken this session over; the program goes on unwatched'));
  const server = new ServerRestorer(run, options.restoreServer);
  const announcements = checkpoints && new CheckpointAnnouncements(run, checkpoints);
  const fileWatch = options.watchesFiles ? await startFileEvents(run, options) : undefined;
  const output = startOutput(run);
  let signals: ForwardedSignals | undefined;
  try {
    await announcements?.begin();
    const { promise: isStarted, resolve: tellStarted } = Promise.withResolvers<SupervisedProgram>();
    const own = readOwnStart(args.length + 1);
    signals = forwardSignals(isStarted, own.ignored);
    const startedAt = performance.now();
    const program = await startChildProgram({
      command,
      args,
      env: childEnvironment(options, run, announcements?.key),
      own,
      mark: `SHANNON_DASH_RUN=${run.instanceId}`,
      onOutput: (stream, bytes) => output.write(stream, bytes),
      onKeySignal: (signal) => {
        if (signal !== 'SIGTSTP') tree.hasGot(signal).catch(() => undefined);
        // A shell suspends all that it runs in front, us and whoever started us; the program is stopped with us.
        else if (!program.stopsItself || tree.isHalted) process.kill(0, 'SIGTSTP');
      },
      onStopped: () => signals?.suspend(),
    });
    const tree = new ChildTree(program.root, (signal) => {
      checkpoints?.markRunning();
      void run.emit('execution:resumed', { reason: `${signal} to the halted program`, initiated_by: 'signal' }, kept);
    });
    tellStarted({ program, tree });
    carryOut(run, tree, checkpoints, announcements);
    run.onDeleted(() => {
      checkpoints?.remove().catch(() => onNote('the checkpoints of the session, which was deleted, could not be removed'));
      if (tree.isHalted) onNote('the session was deleted while it was halted; the program goes on');
    });
    void run.emit(
      'execution:started',
      {
        task: maskPasswords([command, ...args].join(' ')),
        command,
        args: args.map(maskPasswords),
        // Which folder it is, not where it lies: this is read on other machines too.
        folder: basename(process.cwd()),
        pid: program.root.pid,
      },
      kept,
    );
    announcements?.watch(options, tree);
    const { leftBehind, ...end } = await program.ended;
    options.leave(leftBehind);
    leftBehind.forEach((passage) => passage.close());
    signals.close();
    await tree.close();
    output.close();
    await checkpoints?.close().catch(() => undefined);
    await fileWatch?.finish();
    publishEnd(run, end, Math.round(performance.now() - startedAt));
    return { ...end, undelivered: await flushAtExit(run, server) };
  } catch (error) {
    void run.emit('execution:failed', { error: error instanceof Error ? error.message : String(error) }, kept);
    await flushAtExit(run, server);
    throw error;
  } finally {
    signals?.close();
    server.close();
    output.close();
    liveRuns.close();
    await checkpoints?.close().catch(() => undefined);
    // What could be said has been said.
    await Promise.all([announcements?.close(), fileWatch?.finish(), run.close(undefined, { timeoutMs: 0 })]);
    endAllGit();
  }
}

/** For events that must not be lost for want of room. */
const kept = { whenFull: 'wait' } as const;

function childEnvironment(
  { url, session, checkpoints, programPath }: SuperviseOptions,
  run: Orchestrator,
  checkpointKey?: string,
): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...(programPath === undefined ? {} : { PATH: programPath }),
    SHANNON_DASH_URL: url,
    SHANNON_DASH_SESSION: session,
    SHANNON_DASH_RUN: run.instanceId,
    SHANNON_DASH_CHECKPOINTS: checkpoints === 'git' ? 'git' : undefined,
    SHANNON_DASH_CHECKPOINT_KEY: checkpointKey,
  };
}

function startOutput(run: Orchestrator): OutputLines {
  let waitingChars = 0;
  return new OutputLines(
    (batch) => {
      const chars = batch.lines.reduce((sum, line) => sum + line.length, 0);
      waitingChars += chars;
      const told = () => void (waitingChars -= chars);
      run.emit('process:output', { ...batch }).then(told, told);
    },
    ({ isFull }) => run.pending < outputEvents && waitingChars < outputChars && (isFull || run.pending < slowEvents),
  );
}

function carryOut(
  run: Orchestrator,
  tree: ChildTree,
  checkpoints: ProgramCheckpoints | undefined,
  announcements: CheckpointAnnouncements | undefined,
): void {
  run.onCommand('HALT', async () => {
    const wasHalted = tree.isHalted;
    const result = await tree.halt();
    if (!wasHalted) await checkpoints?.markStopped();
    return result;
  });
  run.onCommand('RESUME', async () => {
    checkpoints?.markRunning();
    return tree.resume();
  });
  run.onCommand('ROLLBACK', async ({ command_id, by, steps, checkpoint_id, dry_run, force }) => {
    const request = { steps, checkpoint_id, dry_run, force };
    if (checkpoints === undefined)
      throw new Error('this run takes no checkpoints; start it with: shannon-dash run --checkpoints git -- COMMAND');
    if (request.dry_run === true) return checkpoints.preview(request);
    await checkpoints.check(request);
    if (!tree.isHalted) {
      await tree.halt();
      await checkpoints.markStopped();
      await run.emit('execution:halted', { reason: 'rollback', command_id, initiated_by: by }, kept);
    }
    const { result, savedAs } = await checkpoints.restore(request);
    announcements?.tell(savedAs);
    return result;
  });
  for (const type of ['REDIRECT', 'INJECT'] as const) {
    run.onCommand(type, () => {
      throw new Error(`nothing in this run listens for ${type}; a program does with the SDK: run.onCommand('${type}', ...)`);
    });
  }
}

function publishEnd(run: Orchestrator, { code, signal }: ProgramEnd, durationMs: number): void {
  const end = { exit_code: code, signal, duration_ms: durationMs };
  if (code === 0 && signal === null) void run.emit('execution:completed', { result: end }, kept);
  else void run.emit('execution:failed', { error: signal === null ? `exit code ${code}` : `ended by ${signal}`, ...end }, kept);
}

/** @returns how many events the server does not have, because it was away to the end */
async function flushAtExit(run: Orchestrator, server: ServerRestorer): Promise<number> {
  if (run.pending > 0 && run.connection.status !== 'live') await server.restoreNow();
  await run.flush(lastEventsMs).catch(() => undefined);
  return run.pending;
}
