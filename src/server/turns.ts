const waiting: (() => void)[] = [];

/**
 * Resolves in a later turn of the event loop. Each turn resolves one call only. Long work does a slice and then waits here: the
 * server serves everything else between two slices, however much long work there is.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(takeTurn);
  });
}

function takeTurn(): void {
  const [resolve] = waiting.splice(0, 1);
  // A call that the resolved work makes at once gets the next turn.
  if (waiting.length > 0) setImmediate(takeTurn);
  resolve?.();
}

/** What reads once for all who ask in one turn of the event loop. */
export function oncePerTurn<Value>(read: () => Value): () => Value {
  let known: { value: Value } | undefined;
  return () => {
    if (known === undefined) {
      known = { value: read() };
      setImmediate(() => (known = undefined));
    }
    return known.value;
  };
}
