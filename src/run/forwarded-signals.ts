import type { ChildProgram } from './child-program.ts';
import type { ChildTree } from './child-tree.ts';

const forwardedSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
/** How long a suspension may take to begin, once we have asked for it. */
const suspendMs = 20;

/** A program that runs, and what it consists of. */
export interface SupervisedProgram {
  program: ChildProgram;
  tree: ChildTree;
}

/**
 * Hands the signals that we get on to the program, until told to stop. Begins before the program starts: ended by a signal
 * in the moment of its start, we would leave it behind.
 */
export function forwardSignals(isStarted: Promise<SupervisedProgram>): () => void {
  let isOver = false;
  const forward = (signal: NodeJS.Signals) => {
    // Gone already: its end is on the way.
    isStarted.then(({ tree }) => tree.signal(signal)).catch(() => undefined);
  };
  const stop = ({ program, tree }: SupervisedProgram) =>
    tree.whileStopped(() =>
      program.withoutTerminal(async () => {
        // As the system would: not at all where no shell could let us go on. When we are stopped, the time is over after it.
        process.off('SIGTSTP', suspend);
        process.kill(process.pid, 'SIGTSTP');
        await new Promise((resolve) => setTimeout(resolve, suspendMs));
        if (!isOver) process.on('SIGTSTP', suspend);
      }),
    );
  const suspend = () => {
    isStarted.then(stop).catch(() => undefined);
  };
  for (const signal of forwardedSignals) process.on(signal, forward);
  process.on('SIGTSTP', suspend);
  return () => {
    isOver = true;
    for (const signal of forwardedSignals) process.off(signal, forward);
    process.off('SIGTSTP', suspend);
  };
}
