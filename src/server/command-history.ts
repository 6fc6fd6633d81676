import { receivedAt } from '../core/event.ts';
import { ShannonDashError } from '../core/errors.ts';
import { foldAll } from '../core/fold.ts';
import { commandStepId } from '../core/ids.ts';
import { initialState, type CommandState } from '../core/session-state.ts';
import type { Journal } from '../journal/journal.ts';
import type { SessionStore } from './session-store.ts';

/** Characters of events read at a time for the history. */
const historyChars = 4 * 1024 * 1024;

/** The commands of every session, also those that its state has let go. */
export class CommandHistory {
  readonly #journal: Journal;
  readonly #store: SessionStore;

  constructor(journal: Journal, store: SessionStore) {
    this.#journal = journal;
    this.#store = store;
  }

  /** A command by its id, from the state or, once that has let it go, from the journal. */
  async find(sessionId: string, commandId: string): Promise<CommandState | undefined> {
    const state = await this.#store.load(sessionId);
    const known = state?.commands.findLast((each) => each.command_id === commandId);
    if (known !== undefined || state === undefined || state.let_go.commands === 0) return known;
    const steps = await Promise.all(
      ['queued', 'delivered', 'final'].map((each) => this.#journal.find(sessionId, commandStepId(commandId, each))),
    );
    const events = steps.flatMap((each) => each?.event ?? []);
    return foldAll(initialState({ session_id: sessionId, created_at: '' }), events).commands[0];
  }

  /** As `find`. @throws ShannonDashError NOT_FOUND */
  async get(sessionId: string, commandId: string): Promise<CommandState> {
    const command = await this.find(sessionId, commandId);
    if (command === undefined) throw new ShannonDashError('NOT_FOUND', `Command not found: ${commandId}`);
    return command;
  }

  /** The ledger of a session from its first command on, newest last. */
  async list(
    sessionId: string,
    filter: { status?: string | undefined; limit: number },
  ): Promise<{ commands: CommandState[]; total: number }> {
    const commands = new Map<string, CommandState>();
    let after = 0;
    for (;;) {
      const range = { after, limit: 1_000, maxChars: historyChars, filter: (type: string) => type.startsWith('command:') };
      const events = await this.#journal.read(sessionId, range);
      for (const { event } of events) {
        const id = String(event.data['command_id']);
        const state = initialState({ session_id: sessionId, created_at: receivedAt(event) });
        const before = commands.get(id);
        const [command] = foldAll(before === undefined ? state : { ...state, commands: [before] }, [event]).commands;
        if (command !== undefined) commands.set(id, command);
      }
      const last = events.at(-1);
      if (last === undefined) break;
      after = last.seq;
    }
    const matching = [...commands.values()].filter((command) => filter.status === undefined || command.status === filter.status);
    const shown = matching.slice(Math.max(0, matching.length - filter.limit));
    return { commands: await Promise.all(shown.map((command) => this.withWholeResult(sessionId, command))), total: matching.length };
  }

  /** The state keeps the start of a large result only; the journal has it whole. */
  async withWholeResult(sessionId: string, command: CommandState): Promise<CommandState> {
    if (typeof command.result !== 'string') return command;
    const end = await this.#journal.find(sessionId, commandStepId(command.command_id, 'final'));
    return end === undefined ? command : { ...command, result: end.event.data['result'] ?? null };
  }
}
