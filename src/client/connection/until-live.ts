import { ShannonDashError } from '../../core/protocol/errors.ts';

/** What is to be known of a connection to wait for it. */
interface Awaited {
  readonly url: string;
  readonly state: { status: string };
  readonly failure: ShannonDashError | undefined;
  onState(listener: () => void): () => void;
}

/** Resolves while the connection is live. @throws ShannonDashError why it was closed; TIMEOUT; or the reason of the signal */
export function untilLive(
  connection: Awaited,
  { timeoutMs, signal }: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      clearTimeout(timer);
      off();
      signal?.removeEventListener('abort', look);
      end();
    };
    const look = () => {
      if (signal?.aborted === true) settle(() => reject(signal.reason as Error));
      else if (connection.state.status === 'live') settle(resolve);
      else if (connection.failure !== undefined) settle(() => reject(connection.failure));
    };
    const off = connection.onState(look);
    const late = () => settle(() => reject(new ShannonDashError('TIMEOUT', `no connection to ${connection.url} in ${timeoutMs} ms`)));
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
    signal?.addEventListener('abort', look, { once: true });
    look();
  });
}
