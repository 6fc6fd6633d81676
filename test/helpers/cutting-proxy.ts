import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A TCP proxy whose connections can be cut, as a bad network does it: without a word to either side. */
export interface CuttingProxy {
  readonly url: string;
  /** How many connections stand now. */
  readonly connections: number;
  /** Cuts all of them. */
  cut(): void;
}

/** Starts a proxy to a port of this machine; it goes when the test ends. */
export async function startCuttingProxy(targetPort: () => number): Promise<CuttingProxy> {
  const proxy = await openCuttingProxy(targetPort);
  onTestFinished(() => proxy.close());
  return proxy;
}

/** The same where no test ends: whoever opens it closes it. */
export async function openCuttingProxy(targetPort: () => number): Promise<CuttingProxy & { close(): void }> {
  const pairs = new Set<[Socket, Socket]>();
  const server = createServer((client) => {
    const target = connect(targetPort(), '127.0.0.1');
    const pair: [Socket, Socket] = [client, target];
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    client.pipe(target).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const [client, target] of pairs) {
      client.resetAndDestroy();
      target.resetAndDestroy();
    }
    pairs.clear();
  };
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    get connections() {
      return pairs.size;
    },
    cut,
    close() {
      server.close();
      cut();
    },
  };
}
