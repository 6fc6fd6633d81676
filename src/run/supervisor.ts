import { basename } from 'node:path';
import { hostname } from 'node:os';
import type { ConnectOptions } from '../client/connection/connection.ts';
import { connectOrchestrator } from '../client/orchestrator/orchestrator.ts';
import type { Orchestrator } from '../client/orchestrator/orchestrator-contract.ts';
import { readEnvironment } from '../client/environment.ts';
import type { Redaction } from '../core/text/redaction.ts';
import { CheckpointAnnouncements } from './checkpoints/checkpoint-announcements.ts';
import { startChildProgram } from './program/child-program.ts';
import { ChildTree } from './tree/child-tree.ts';
import { startFileEvents } from './files/file-events.ts';
import type { Survivor } from './tree/survivors.ts';
import { forwardSignals, type ForwardedSignals, type SupervisedProgram } from './tree/forwarded-signals.ts';
import { currentBranch } from '../git/current-branch.ts';
import { endAllGit } from './git/git-process.ts';
import { enterLiveRuns, liveRunsFolder } from './live-runs.ts';
import { OutputLines } from './output/output-lines.ts';
import type { OutputPassage } from './output/output-passage.ts';
import { FullScreen, type OutputPiece } from './output/full-screen.ts';
import { ScreenRecording } from './output/screen-recording.ts';
import { findProgram } from './program/find-program.ts';
import { readInheritedState } from './program/inherited-state.ts';
import type { ProgramEnd } from './program/program-end.ts';
import { kept, publishEnd } from './published-end.ts';
import { RequestedStop } from './requested-stop.ts';
import { ServerRestorer } from './server-restorer.ts';
import { ProgramCheckpoints } from './checkpoints/program-checkpoints.ts';

/** With more unacknowledged events than these the server is slow or away. Output then waits until a batch is full. */
const slowEvents = 50;
/** With more pending events or characters than these, output is counted instead of sent, to leave room for more important events. */
const outputEvents = 2_000;
const outputChars = 8 * 1024 * 1024;
/** How long the start of the program waits for a server that answered a moment ago. */
const attachMs = 5_000;
/** How long the delivery of the last events may take after the program has ended. */
const lastEventsMs = 2_000;

export interface SuperviseOptions extends ConnectOptions {
  url: string;
  session: string;
  command: string;
  args: readonly string[];
  checkpoints: 'git' | 'none';
  /** Whether this run may take the session over from another run that is attached to it. */
  takesOver: boolean;
  /** What the starter calls the session. */
  labels: readonly string[];
  /** Whether changes of files below the working folder become events. */
  watchesFiles: boolean;
  /** Whether the events of changed files have their diffs. */
  tellsDiffs: boolean;
  /** The user's state folder, for data that is kept after the run. */
  stateFolder: string;
  /** Absolute paths of the server's own files. They are not watched and not part of any checkpoint. */
  leftOut: readonly string[];
  /** What is replaced in the output and the command line before they are told. Undefined: nothing. */
  redaction: Redaction | undefined;
  /** Shows the user one sentence. */
  onNote: (sentence: string) => void;
  /** Shows a sentence on the program's own terminal, between its outputs. Not called while the program uses the whole screen. */
  onStandstill: (sentence: string) => void;
  /** False: no server answers, and the program starts without waiting for one. */
  waitsForServer: boolean;
  /** Takes over outputs that children of the program may still write to. Called before this process closes its reading end. */
  leave: (passages: readonly OutputPassage[]) => void;
  /** The PATH of the program. */
  programPath: string | undefined;
  /** Called while no server answers. Starts one with the same journal, if that is possible. */
  restoreServer?: () => Promise<void>;
}

/** How a supervised program ended, and what it has left running. `undelivered` counts the events that never reached the server. */
export interface SuperviseResult extends ProgramEnd {
  survivors: readonly Survivor[];
  undelivered: number;
}

/**
 * Runs a program as a session. Its output, its file changes and its end become events. Operators can halt it, resume it
 * and roll its files back. The program runs on whatever happens to the server.
 * @throws ShannonDashError when the session cannot be attached; Error when checkpoints or the program cannot be started
 */
export async function supervise(options: SuperviseOptions): Promise<SuperviseResult> {
  const { url, session, command, args, stateFolder, onNote } = options;
  // Names the run that acknowledges a HALT: readable for people, and different for every run.
  const instanceId = `run-${process.pid}@${hostname()}`;
  const cwd = process.cwd();
  const inherited = readInheritedState(args.length + 1);
  // What is not there makes no session.
  if (inherited.rawArgs === undefined) findProgram(command, options.programPath ?? process.env['PATH']);
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
    capabilities: ['HALT', 'RESUME', 'DECISION', 'STOP', ...(checkpoints === undefined ? [] : ['ROLLBACK'])],
    takeOver: options.takesOver,
    wantsChildToken: true,
    onUnreachable: 'continue',
    unreachableMs: options.waitsForServer ? attachMs : 0,
  });
  let hasProblem = false;
  run.onProblem(({ error, event }) => {
    if (event !== undefined && !hasProblem) onNote(`an event was not kept: ${error.message}`);
    hasProblem ||= event !== undefined;
  });
  run.onSuperseded(() =>
    onNote('another orchestrator took this session over; the program runs on, but this run no longer reports its events'),
  );
  const server = new ServerRestorer(run, options.restoreServer);
  const announcements = checkpoints && new CheckpointAnnouncements(run, checkpoints);
  const fileWatch = options.watchesFiles ? await startFileEvents(run, options) : undefined;
  const output = startOutput(run, options.redaction);
  const screens = { stdout: new FullScreen(), stderr: new FullScreen() };
  const recording = new ScreenRecording((piece) => void run.emit('process:screen', { ...piece }).catch(() => undefined), options.redaction);
  const take = (stream: 'stdout' | 'stderr', { bytes, isFullScreen }: OutputPiece) =>
    isFullScreen ? recording.write(bytes) : output.write(stream, bytes);
  let signals: ForwardedSignals | undefined;
  try {
    await announcements?.begin();
    const { promise: isStarted, resolve: resolveStarted } = Promise.withResolvers<SupervisedProgram>();
    signals = forwardSignals(isStarted, inherited.ignored);
    const startedAt = performance.now();
    const program = await startChildProgram({
      command,
      args,
      env: childEnvironment(options, run, announcements?.key),
      inherited,
      mark: `SHANNON_DASH_RUN=${run.instanceId}`,
      onOutput: (stream, bytes) => {
        for (const piece of screens[stream].split(bytes)) take(stream, piece);
      },
      onKeySignal: (signal) => {
        if (signal !== 'SIGTSTP') tree.noteDelivered(signal).catch(() => undefined);
        // A shell suspends the whole foreground group: this process and its callers. This process then stops the program.
        else if (!program.stopsItself || tree.isHalted) process.kill(0, 'SIGTSTP');
      },
      onStopped: () => signals?.suspend(),
    });
    const tree = new ChildTree(program.root, (signal) => {
      checkpoints?.markRunning();
      void run.emit('execution:resumed', { reason: `${signal} to the halted program`, initiated_by: 'signal' }, kept);
    });
    resolveStarted({ program, tree });
    const toldWords = options.redaction?.words([command, ...args]) ?? [command, ...args];
    const stop = new RequestedStop();
    stop.handle(run, tree);
    const say = (sentence: string) => void (screens.stdout.isOn || screens.stderr.isOn || options.onStandstill(sentence));
    handleCommands(run, tree, { checkpoints, announcements, say });
    run.onDeleted(() => {
      checkpoints?.remove().catch(() => onNote('the checkpoints of the session, which was deleted, could not be removed'));
      if (tree.isHalted) onNote('the session was deleted while it was halted; the program goes on');
    });
    void run.emit(
      'execution:started',
      {
        task: toldWords.join(' '),
        command: toldWords[0],
        args: toldWords.slice(1),
        // Only the name of the folder, because people on other machines read this event and the path means nothing there.
        folder: basename(cwd),
        branch: currentBranch(cwd),
        user: options.client,
        ...(options.labels.length === 0 ? {} : { labels: [...options.labels] }),
        pid: program.root.pid,
      },
      kept,
    );
    announcements?.watch(options, tree);
    const { leftBehind, ...end } = await program.ended;
    options.leave(leftBehind);
    leftBehind.forEach((passage) => passage.close());
    signals.close();
    await stop.settled();
    await tree.close();
    for (const stream of ['stdout', 'stderr'] as const) for (const piece of screens[stream].rest()) take(stream, piece);
    recording.flush();
    output.close();
    await checkpoints?.close().catch(() => undefined);
    await fileWatch?.finish();
    const survivors = await tree.survivors();
    publishEnd(run, end, { durationMs: Math.round(performance.now() - startedAt), stopped: stop.sentence, survivors });
    return { ...end, survivors, undelivered: await flushAtExit(run, server) };
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
    // No event is waited for any more: the final flush is over.
    await Promise.all([announcements?.close(), fileWatch?.finish(), run.close(undefined, { timeoutMs: 0 })]);
    endAllGit();
  }
}

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
    // Never this process's own, which may do more.
    SHANNON_DASH_TOKEN: run.childToken,
    SHANNON_DASH_TOKEN_FILE: undefined,
    SHANNON_DASH_CHECKPOINTS: checkpoints === 'git' ? 'git' : undefined,
    SHANNON_DASH_CHECKPOINT_KEY: checkpointKey,
  };
}

function startOutput(run: Orchestrator, redaction: Redaction | undefined): OutputLines {
  let waitingChars = 0;
  return new OutputLines(
    (batch) => {
      const chars = batch.lines.reduce((sum, line) => sum + line.length, 0);
      waitingChars += chars;
      const told = () => void (waitingChars -= chars);
      run.emit('process:output', { ...batch }).then(told, told);
    },
    ({ isFull }) => run.pending < outputEvents && waitingChars < outputChars && (isFull || run.pending < slowEvents),
    redaction,
  );
}

interface CommandParts {
  checkpoints: ProgramCheckpoints | undefined;
  announcements: CheckpointAnnouncements | undefined;
  say: (sentence: string) => void;
}

function handleCommands(run: Orchestrator, tree: ChildTree, { checkpoints, announcements, say }: CommandParts): void {
  run.onCommand('HALT', async ({ by, reason }) => {
    const wasHalted = tree.isHalted;
    const result = await tree.halt();
    if (wasHalted) return result;
    await checkpoints?.markStopped();
    const why = typeof reason === 'string' && reason !== '' ? `: ${reason}` : '';
    say(`halted by ${by ?? 'somebody'}${why}; to go on: shannon-dash send RESUME -s ${run.session}`);
    return result;
  });
  run.onCommand('RESUME', async ({ by }) => {
    checkpoints?.markRunning();
    if (tree.isHalted) say(`resumed by ${by ?? 'somebody'}`);
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

/** @returns how many events were not delivered, because the server did not answer until the end */
async function flushAtExit(run: Orchestrator, server: ServerRestorer): Promise<number> {
  if (run.pending > 0 && run.connection.status !== 'live') await server.restoreNow();
  await run.flush(lastEventsMs).catch(() => undefined);
  return run.pending;
}
