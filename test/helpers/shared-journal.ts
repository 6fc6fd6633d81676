import { ShannonDashError } from '../../src/core/protocol/errors.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';

/** One server's hold on a journal that several servers share. */
export interface JournalShare {
  readonly journal: Journal;
  /** The server ends without a word: from now on it neither writes nor hears anything, and the journal knows that it is gone. */
  crash(): void;
}

/** A hold on a journal of this process. To close it closes nothing for the others. */
export function shareJournal(common: MemoryJournal): JournalShare {
  const ends = new Set<() => void>();
  let hasCrashed = false;
  const own: Partial<Journal> = {
    append: (...args) =>
      hasCrashed ? Promise.reject(new ShannonDashError('UNAVAILABLE', 'The server has crashed')) : common.append(...args),
    subscribe(listener) {
      const end = common.subscribe(listener);
      ends.add(end);
      return end;
    },
    join(serverId) {
      const leave = common.join(serverId);
      ends.add(leave);
      return leave;
    },
    close() {
      common.flush();
      return Promise.resolve();
    },
  };
  const journal = new Proxy<Journal>(common, {
    get(_target, name) {
      const value: unknown = Reflect.get(Object.hasOwn(own, name) ? own : common, name);
      return typeof value === 'function' ? (value.bind(common) as unknown) : value;
    },
  });
  const crash = () => {
    hasCrashed = true;
    for (const end of ends) end();
  };
  return { journal, crash };
}
