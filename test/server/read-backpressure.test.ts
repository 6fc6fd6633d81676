import { expect, test } from 'vitest';
import type { AppendResult } from '../../src/journal/journal.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { connectQuiet } from '../helpers/socket-client.ts';
import { startServer } from '../helpers/start-server.ts';

/** A keeper that takes nothing until it is let: a disk that hangs. */
class HangingJournal extends MemoryJournal {
  asked = 0;
  readonly #hang: Promise<void>;

  constructor(hang: Promise<void>) {
    super();
    this.#hang = hang;
  }

  override async append(...args: Parameters<MemoryJournal['append']>): Promise<AppendResult> {
    this.asked++;
    await this.#hang;
    return super.append(...args);
  }
}

test('while the journal takes nothing a publisher is read from no further; others are answered; afterwards all is there', async () => {
  let goOn: () => void = () => undefined;
  const journal = new HangingJournal(new Promise<void>((resolve) => (goOn = resolve)));
  const server = await startServer({ journal });
  const watcher = await connectQuiet(server.url);
  await watcher.ask('subscribe', { session_id: 's', batch: true });
  const publisher = await connectQuiet(server.url);
  const events = 2_000;
  for (let at = 0; at < events; at++) {
    publisher.socket.emit('cli_event', { session_id: 's', event_type: 'test:step', data: { at, text: 'x'.repeat(1_000) } });
  }
  // Each answer is a turn of the server's event loop, in which it would read what has come in meanwhile.
  for (let turn = 0; turn < 100; turn++) await watcher.ask('ping', {});
  expect(journal.asked).toBeGreaterThan(0);
  // One read of the socket brings 64 KiB at most.
  expect(journal.asked).toBeLessThan(100);
  goOn();
  await watcher.untilEvents(events);
  expect(watcher.events('s').map(({ data }) => data['at'])).toEqual(Array.from({ length: events }, (_, at) => at));
  expect(await publisher.ask('ping', {})).toHaveProperty('timestamp');
});
