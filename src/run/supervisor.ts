import { hostname } from 'node:os';
import type { ConnectOptions } from '../client/connection.ts';
import { connectOrchestrator, type Orchestrator } from '../client/orchestrator.ts';
import { connectWatcher, type Watcher } from '../client/watcher.ts';
import { startChildProgram, type ProgramEnd } from './child-program.ts';
import { ChildTree } from './child-tree.ts';
import { watchFileChanges } from './file-changes.ts';
import { OutputLines } from './output-lines.ts';
import { ProgramCheckpoints, type TakenCheckpoint } from './program-checkpoints.ts';

/** Events on their way beyond which output is counted instead of kept. */
const busyEvents = 500;
/** How long the program waits for the watch on its files before it starts. */
const watchReadyMs = 2_000;
/** How long the last events may take after the program has ended. */
const farewellMs = 5_000;
const forwardedSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const;

export interface SuperviseOptions extends ConnectOptions {
  url: string;
  session: string;
  command: string;
  args: readonly string[];
  checkpoints: 'git' | 'none';
  /** Whether changes of files below the working folder become events. */
  watchesFiles: boolean;
  /** For people, one sentence at a time. */
  onNote: (sentence: string) => void;
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
  const { url, session, command, args, onNote } = options;
  const checkpoints = options.checkpoints === 'git' ? await ProgramCheckpoints.open({ cwd: process.cwd(), sessionId: session }) : undefined;
  const run = await connectOrchestrator({
    url,
    session,
    token: options.token,
    client: options.client,
    // Who acknowledges a HALT: people recognise it, and no two runs share it.
    instanceId: `run-${process.pid}@${hostname()}`,
    capabilities: ['HALT', 'RESUME', 'DECISION', 'ROLLBACK'],
  });
  run.onProblem(({ error }) => onNote(`an event was not kept: ${error.message}`));
  run.onSuperseded(() => onNote('another orchestrator has taken this session over; the program goes on unwatched'));
  const fileWatch = options.watchesFiles ? await startFileWatch(run, onNote) : undefined;
  const output = new OutputLines(
    (batch) => void run.emit('process:output', { ...batch }),
    () => run.pending < busyEvents,
  );
  let watcher: Watcher | undefined;
  try {
    if (checkpoints !== undefined) announce(run, await checkpoints.start());
    const startedAt = performance.now();
    const program = await startChildProgram({
      command,
      args,
      env: childEnvironment(options, run),
      onOutput: (stream, bytes) => output.write(stream, bytes),
    });
    const tree = new ChildTree(program.pid);
    const stopForwarding = forwardSignals(tree);
    carryOut(run, tree, checkpoints);
    void run.emit('execution:started', {
      task: [command, ...args].join(' '),
      command,
      args: [...args],
      cwd: process.cwd(),
      pid: program.pid,
    });
    if (checkpoints !== undefined) watcher = await takeAnnounced(options, run, tree, checkpoints);
    const end = await program.ended;
    stopForwarding();
    output.close();
    await fileWatch?.close();
    sayEnd(run, end, Math.round(performance.now() - startedAt));
    return { ...end, undelivered: await farewell(run) };
  } catch (error) {
    void run.emit('execution:failed', { error: error instanceof Error ? error.message : String(error) });
    await farewell(run);
    throw error;
  } finally {
    output.close();
    await Promise.all([watcher?.close(), fileWatch?.close(), run.close()]);
  }
}

function childEnvironment({ url, session, checkpoints }: SuperviseOptions, run: Orchestrator): NodeJS.ProcessEnv {
  return {
    ...process.env,
    SHANNON_DASH_URL: url,
    SHANNON_DASH_SESSION: session,
    SHANNON_DASH_RUN: run.instanceId,
    SHANNON_DASH_CHECKPOINTS: checkpoints === 'git' ? 'git' : undefined,
  };
}

async function startFileWatch(run: Orchestrator, onNote: SuperviseOptions['onNote']) {
  const watching = watchFileChanges({
    cwd: process.cwd(),
    onChanges: ({ changes, let_go }) => {
      for (const { type, path } of changes) void run.emit(type, { path });
      if (let_go > 0) void run.emit('run:files-let-go', { count: let_go });
    },
    onProblem: onNote,
  });
  // A huge tree may take its time; the program does not wait for all of it.
  await Promise.race([watching, new Promise((resolve) => setTimeout(resolve, watchReadyMs).unref())]);
  return { close: async () => (await watching).close() };
}

function carryOut(run: Orchestrator, tree: ChildTree, checkpoints: ProgramCheckpoints | undefined): void {
  run.onCommand('HALT', async () => {
    const result = await tree.halt();
    checkpoints?.seal();
    return result;
  });
  run.onCommand('RESUME', async () => {
    checkpoints?.unseal();
    return tree.resume();
  });
  run.onCommand('ROLLBACK', async ({ command_id, by, steps, checkpoint_id, dry_run, force }) => {
    const request = { steps, checkpoint_id, dry_run, force };
    if (checkpoints === undefined)
      throw new Error('this run takes no checkpoints; start it with: shannon-dash run --checkpoints git -- COMMAND');
    if (request.dry_run === true) return checkpoints.preview(request);
    if (!tree.isHalted) {
      await tree.halt();
      checkpoints.seal();
      await run.emit('execution:halted', { reason: 'rollback', command_id, initiated_by: by });
    }
    const { result, savedAs } = await checkpoints.restore(request);
    announce(run, savedAs);
    return result;
  });
  for (const type of ['REDIRECT', 'INJECT'] as const) {
    run.onCommand(type, () => {
      throw new Error(`nothing in this run listens for ${type}; a program does with the SDK: run.onCommand('${type}', ...)`);
    });
  }
}

function announce(run: Orchestrator, checkpoint: TakenCheckpoint): void {
  void run.emit('checkpoint:created', { ...checkpoint });
}

/** Takes the checkpoints that the program announces, and says when each is there for whoever waits. */
async function takeAnnounced(
  options: SuperviseOptions,
  run: Orchestrator,
  tree: ChildTree,
  checkpoints: ProgramCheckpoints,
): Promise<Watcher> {
  const watcher = await connectWatcher({
    url: options.url,
    token: options.token,
    client: options.client,
    session: options.session,
    after: 'start',
    eventTypes: ['checkpoint:created'],
  });
  watcher.onUpdate((update) => {
    if (update.kind !== 'events') return;
    for (const { data } of update.events) {
      const { checkpoint_id: id, label } = data as { checkpoint_id: string; label?: string | null };
      if (checkpoints.isKnown(id)) continue;
      checkpoints.take(tree, id, label ?? id).then(
        ({ files }) => void run.emit('checkpoint:saved', { checkpoint_id: id, files }),
        (error: unknown) =>
          void run.emit('checkpoint:failed', { checkpoint_id: id, error: error instanceof Error ? error.message : String(error) }),
      );
    }
  });
  return watcher;
}

function forwardSignals(tree: ChildTree): () => void {
  const forward = (signal: NodeJS.Signals) => {
    // Gone already: its end is on the way.
    tree.signal(signal).catch(() => undefined);
  };
  for (const signal of forwardedSignals) process.on(signal, forward);
  return () => {
    for (const signal of forwardedSignals) process.off(signal, forward);
  };
}

function sayEnd(run: Orchestrator, { code, signal }: ProgramEnd, durationMs: number): void {
  const end = { exit_code: code, signal, duration_ms: durationMs };
  if (code === 0 && signal === null) void run.emit('execution:completed', { result: end });
  else void run.emit('execution:failed', { error: signal === null ? `exit code ${code}` : `ended by ${signal}`, ...end });
}

/** @returns how many events the server does not have, because it was away to the end */
async function farewell(run: Orchestrator): Promise<number> {
  await run.flush(farewellMs).catch(() => undefined);
  return run.pending;
}
