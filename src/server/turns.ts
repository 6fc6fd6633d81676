const waiting: (() => void)[] = [];

/**
 * Resolves in a later turn of the event loop, in which nobody else who waits here goes on. Long work does a slice, then waits
 * for its next turn: however much long work there is, between two slices everything else is served.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(takeTurn);
  });
}

function takeTurn(): void {
  const [resolve] = waiting.splice(0, 1);
  // Asked for from here, it comes in the next turn.
  if (waiting.length > 0) setImmediate(takeTurn);
  resolve?.();
}
