import { join } from 'node:path';
import { connections, inLanes, publish } from '../client.ts';
import { RawReader } from '../raw-reader.ts';
import { atMost, same, told, until, type Check, type Row, type Scene } from '../scene.ts';
import { serve } from '../served.ts';

/** For who looks for a leak: heap snapshots are written to this folder. */
const snapshotFolder = process.env['HEAP_SNAPSHOTS'];
const lanes = 20;
const megabyte = 1e6;

async function run(scene: Scene): Promise<Check[]> {
  const [warm, all] = [scene.sized(100, 5_000), scene.sized(400, 20_000)];
  const server = await serve(scene, { journal: join(scene.newFolder(), 'journal.db'), isInspected: true });
  const { url, port } = server;
  await publish(url, 's', [{ type: 'execution:started', data: {} }]);
  const inspector = await server.inspector();
  const cycle = async (n: number) => {
    // A stream now and then; of the others half leave with a word.
    const reader = await (n % 10 === 0
      ? RawReader.get(port, '/api/sessions/s/events', 'text/event-stream')
      : RawReader.subscribe(port, n % 3 === 0 ? { batch: true } : { session_id: 's', batch: true }));
    if (n % 10 === 0) await reader.next('HTTP/1.1 200');
    if (n % 2 === 0) reader.drop();
    else reader.socket.destroy();
  };
  const after = async (count: number, from: number) => {
    await inLanes(count - from, lanes, cycle);
    await until('all connections to be gone', async () => (await connections(url)).total === 0);
    if (snapshotFolder !== undefined) await inspector.writeHeapSnapshot(join(snapshotFolder, `after-${count}.heapsnapshot`));
    return { heap: await inspector.heapBytes(), resident: server.residentBytes() };
  };
  const before = await after(warm, 0);
  const end = await after(all, warm);
  const left = await connections(url);
  const grown = `from ${warm} to ${all}`;
  return [
    atMost(`resident memory, growth ${grown}`, (end.resident - before.resident) / megabyte, 30, 'MB'),
    atMost(`heap after collection, growth ${grown}`, (end.heap - before.heap) / megabyte, 30, 'MB'),
    told('resident memory at the end', `${Math.round(end.resident / megabyte)} MB`),
    same('connections left', left.total, 0),
    same('subscriptions left', left.watching, 0),
  ];
}

export const cycles: Row = { name: 'cycles', fault: '20,000 connect, subscribe, drop cycles', run };
