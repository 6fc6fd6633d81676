import { createHook } from 'node:async_hooks';
import { constants } from 'node:os';
import type { ChildProgram } from '../program/child-program.ts';
import type { ChildTree } from './child-tree.ts';
import { isInFront, signalFellows } from '../program/terminal-place.ts';

/**
 * Signals that are not handed on. Some cannot be caught; some the system sends to a process for what it does itself, as SIGPIPE
 * when our own reader is gone; SIGTSTP, SIGTTIN and SIGTTOU suspend, which is seen to below; SIGWINCH is told by the size; and after
 * SIGCONT we continue the program anyway.
 */
const notForwarded = new Set(
  'SIGKILL SIGSTOP SIGCHLD SIGPIPE SIGBUS SIGFPE SIGILL SIGSEGV SIGTRAP SIGXFSZ SIGTSTP SIGTTIN SIGTTOU SIGWINCH SIGCONT'.split(' '),
);
/** The real-time signals that a program may use; Node knows no names for them. */
const realTime = process.platform === 'linux' ? Array.from({ length: 31 }, (_, index) => 34 + index) : [];
/** How long a suspension may take to begin, once we have asked for it. */
const suspendMs = 20;

/** A program that runs, and what it consists of. */
export interface SupervisedProgram {
  program: ChildProgram;
  tree: ChildTree;
}

/** Hands the signals that we get on to a program. */
export interface ForwardedSignals {
  /** The program was stopped, as by Ctrl-Z: suspends us and whoever called us as well. */
  suspend(): void;
  close(): void;
}

/**
 * Hands the signals that we get on to the program, until told to stop. Begins before the program starts: ended by a signal
 * in the moment of its start, we would leave it behind.
 * @param ignored signals that do nothing to us, as they do nothing to the program
 */
export function forwardSignals(isStarted: Promise<SupervisedProgram>, ignored: readonly NodeJS.Signals[]): ForwardedSignals {
  const forwarded = (Object.keys(constants.signals) as NodeJS.Signals[]).filter((signal) => !notForwarded.has(signal));
  let isOver = false;
  const forward = (signal: NodeJS.Signals | number) => {
    if (ignored.includes(signal as NodeJS.Signals)) return;
    // Gone already: its end is on the way.
    isStarted
      .then(({ program, tree }) => {
        // What a terminal's key sends reaches all of the group in front, and so the program.
        const hasIt = program.isShared && (signal === 'SIGINT' || signal === 'SIGQUIT') && isInFront();
        return hasIt ? tree.hasGot(signal) : tree.signal(signal);
      })
      .catch(() => undefined);
  };
  const standStill = async () => {
    // As the system would: not at all where no shell could let us go on. When we are stopped, the time is over after it.
    process.off('SIGTSTP', onSuspend);
    process.kill(process.pid, 'SIGTSTP');
    await new Promise((resolve) => setTimeout(resolve, suspendMs));
    if (!isOver) process.on('SIGTSTP', onSuspend);
  };
  const onSuspend = () => {
    isStarted
      .then(({ program, tree }) => (program.isShared ? standStill() : tree.whileStopped(() => program.withoutTerminal(standStill))))
      .catch(() => undefined);
  };
  for (const signal of forwarded) process.on(signal, forward);
  process.on('SIGTSTP', onSuspend);
  const closeRealTime = onRealTimeSignals(forward);
  return {
    suspend() {
      isStarted
        .then(({ program, tree }) =>
          tree.suspended(() =>
            program.withoutTerminal(async () => {
              await signalFellows('SIGTSTP');
              await standStill();
            }),
          ),
        )
        .catch(() => undefined);
    },
    close() {
      isOver = true;
      for (const signal of forwarded) process.off(signal, forward);
      process.off('SIGTSTP', onSuspend);
      closeRealTime();
    },
  };
}

interface SignalWatch {
  onsignal: (number: number) => void;
  start(number: number): number;
  close(): void;
  unref(): void;
}

/** Node has no way to listen to a signal without a name; what its own listeners are made of has. */
function onRealTimeSignals(listener: (number: number) => void): () => void {
  const SignalWatch = signalWatch();
  const watches = SignalWatch === undefined ? [] : realTime.map(() => new SignalWatch());
  watches.forEach((watch, index) => {
    watch.unref();
    watch.onsignal = listener;
    watch.start(realTime[index] ?? 0);
  });
  return () => watches.forEach((watch) => watch.close());
}

/** Undefined where a later Node makes its listeners of something else: those signals end us then, as they do by default. */
function signalWatch(): (new () => SignalWatch) | undefined {
  let found: (new () => SignalWatch) | undefined;
  const hook = createHook({
    init(_id, type, _trigger, resource) {
      if (type === 'SIGNALWRAP') found = resource.constructor as new () => SignalWatch;
    },
  }).enable();
  const listener = () => undefined;
  process.on('SIGWINCH', listener).off('SIGWINCH', listener);
  hook.disable();
  return found;
}
