import { createHook } from 'node:async_hooks';
import { constants } from 'node:os';
import type { ChildProgram } from '../program/child-program-contract.ts';
import type { ChildTree } from './child-tree.ts';
import { isInForeground, signalGroupMembers } from '../program/controlling-terminal.ts';

/**
 * Signals that are not forwarded. Some cannot be caught. Some concern only the process that receives them: SIGPIPE says that the
 * reader of this process is gone. SIGTSTP, SIGTTIN and SIGTTOU suspend, which `onSuspend` handles. For SIGWINCH the new size is set on
 * the pseudo-terminal. After SIGCONT this process continues the program anyway.
 */
const notForwarded = new Set(
  'SIGKILL SIGSTOP SIGCHLD SIGPIPE SIGBUS SIGFPE SIGILL SIGSEGV SIGTRAP SIGXFSZ SIGTSTP SIGTTIN SIGTTOU SIGWINCH SIGCONT'.split(' '),
);
/** The real-time signals that a program may use. Node has no names for them. */
const realTime = process.platform === 'linux' ? Array.from({ length: 31 }, (_, index) => 34 + index) : [];
/** How long the system may take to suspend this process after the request. */
const suspendMs = 20;

/** A running program and its process tree. */
export interface SupervisedProgram {
  program: ChildProgram;
  tree: ChildTree;
}

/** Forwards the signals that this process receives to a program. */
export interface ForwardedSignals {
  /** Call it when the program was suspended, for example by Ctrl-Z. Suspends this process and its callers as well. */
  suspend(): void;
  close(): void;
}

/**
 * Forwards the signals that this process receives to the program, until `close`. It begins before the program starts, because a
 * signal that ended this process at that moment would leave the program behind.
 * @param ignored signals that this process and the program both ignore
 */
export function forwardSignals(isStarted: Promise<SupervisedProgram>, ignored: readonly NodeJS.Signals[]): ForwardedSignals {
  const forwarded = (Object.keys(constants.signals) as NodeJS.Signals[]).filter((signal) => !notForwarded.has(signal));
  let isOver = false;
  const forward = (signal: NodeJS.Signals | number) => {
    if (ignored.includes(signal as NodeJS.Signals)) return;
    // When the program is gone, sending fails, and its end is about to be reported.
    isStarted
      .then(({ program, tree }) => {
        // A terminal's key sends the signal to the whole foreground group, which includes the program.
        const hasIt = program.isShared && (signal === 'SIGINT' || signal === 'SIGQUIT') && isInForeground();
        return hasIt ? tree.noteDelivered(signal) : tree.signal(signal);
      })
      .catch(() => undefined);
  };
  const suspendSelf = async () => {
    // Suspends this process as the system would: not at all when no shell could continue it. The timer runs out only after SIGCONT.
    process.off('SIGTSTP', onSuspend);
    process.kill(process.pid, 'SIGTSTP');
    await new Promise((resolve) => setTimeout(resolve, suspendMs));
    if (!isOver) process.on('SIGTSTP', onSuspend);
  };
  const onSuspend = () => {
    isStarted
      .then(({ program, tree }) => (program.isShared ? suspendSelf() : tree.whileStopped(() => program.withoutTerminal(suspendSelf))))
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
              await signalGroupMembers('SIGTSTP');
              await suspendSelf();
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

/** Listens to signals by number. Node cannot do that, but the internal class of its own listeners can. */
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

/** Undefined when a later Node no longer has that class. The real-time signals then end this process, as they do by default. */
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
