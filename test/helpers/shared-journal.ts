import { ShannonDashError } from '../../src/core/protocol/errors.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';

/** One server's hold on a journal that several servers share. */
export interface JournalShare {
  readonly journal: Journal;
  /** The server ends without a word: from now on it neither writes nor hears anything, and the journal knows that it is gone. */
  crash(): void;
  /** The server is cut off: the others take it to be gone, and it hears nothing until what this returns is called. */
  cutOff(): () => void;
}

/** A hold on a journal of this process. To close it closes nothing for the others. */
export function shareJournal(common: MemoryJournal): JournalShare {
  const ends = new Set<() => void>();
  const joined = new Map<string, () => void>();
  let hasCrashed = false;
  let missed: (() => void)[] | undefined;
  const own: Partial<Journal> = {
    append: (...args) =>
      hasCrashed ? Promise.reject(new ShannonDashError('UNAVAILABLE', 'The server has crashed')) : common.append(...args),
    subscribe(listener) {
      const end = common.subscribe((changes) => {
        if (missed === undefined) listener(changes);
        else missed.push(() => listener(changes));
      });
      ends.add(end);
      return end;
    },
    join(serverId) {
      const leave = common.join(serverId);
      ends.add(leave);
      joined.set(serverId, leave);
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
  const cutOff = () => {
    for (const leave of joined.values()) leave();
    missed = [];
    return () => {
      for (const serverId of joined.keys()) own.join?.(serverId);
      const told = missed ?? [];
      missed = undefined;
      for (const tell of told) tell();
    };
  };
  return { journal, crash, cutOff };
}
