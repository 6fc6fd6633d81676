import { receivedAt, type SessionEvent } from '../../core/protocol/event.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { foldAll } from '../../core/fold/fold.ts';
import { commandStepId } from '../../core/ids.ts';
import { initialState, type CommandState } from '../../core/protocol/session-state.ts';
import type { Journal } from '../../journal/journal.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import { nextTurn } from '../turns.ts';

/** Characters of events read at a time for the history. */
const historyChars = 4 * 1024 * 1024;

/** The ledgers of so many sessions stay in memory, up to so many commands each. The next request reads on from there. */
const keptLedgers = 4;
const keptCommands = 5_000;

/** The commands of a session through an event. */
interface Ledger {
  epoch: string | undefined;
  after: number;
  commands: Map<string, CommandState>;
}

/** Finds and lists commands, also those that the state of their session does not hold any more. */
export class CommandHistory {
  readonly #journal: Journal;
  readonly #store: SessionStore;
  /** The least recently asked for first. */
  readonly #ledgers = new Map<string, Promise<Ledger>>();

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

  /** What a command was sent with, whole; undefined once retention has taken that. */
  async sentParameters(sessionId: string, commandId: string): Promise<Record<string, unknown> | undefined> {
    const find = (stage: string) => this.#journal.find(sessionId, commandStepId(commandId, stage));
    // A command that was refused has one step alone.
    const parameters = ((await find('queued')) ?? (await find('final')))?.event.data['parameters'];
    return typeof parameters === 'object' && parameters !== null ? { ...parameters } : undefined;
  }

  /** The ledger of a session from its first command on, newest last. */
  async list(
    sessionId: string,
    filter: { status?: string | undefined; limit: number },
  ): Promise<{ commands: CommandState[]; total: number }> {
    const commands = await this.all(sessionId);
    const matching = commands.filter((command) => filter.status === undefined || command.status === filter.status);
    const shown = matching.slice(Math.max(0, matching.length - filter.limit));
    return { commands: await Promise.all(shown.map((command) => this.withWholeResult(sessionId, command))), total: matching.length };
  }

  /** The state keeps the start of a large result only; the journal has it whole. */
  async withWholeResult(sessionId: string, command: CommandState): Promise<CommandState> {
    if (typeof command.result !== 'string') return command;
    const end = await this.#journal.find(sessionId, commandStepId(command.command_id, 'final'));
    return end === undefined ? command : { ...command, result: end.event.data['result'] ?? null };
  }

  /** Every command of a session: from its state, unless that has let some go. */
  async all(sessionId: string): Promise<CommandState[]> {
    const state = await this.#store.load(sessionId);
    if (state === undefined || state.let_go.commands === 0) return state?.commands ?? [];
    const before = this.#ledgers.get(sessionId);
    const read = this.#readOn(sessionId, before);
    this.#ledgers.delete(sessionId);
    this.#ledgers.set(sessionId, read);
    const [oldest = ''] = this.#ledgers.keys();
    if (this.#ledgers.size > keptLedgers) this.#ledgers.delete(oldest);
    try {
      const { commands } = await read;
      if (commands.size > keptCommands && this.#ledgers.get(sessionId) === read) this.#ledgers.delete(sessionId);
      return [...commands.values()];
    } catch (error) {
      if (this.#ledgers.get(sessionId) === read) this.#ledgers.delete(sessionId);
      throw error;
    }
  }

  /** Reads on from the last event that was read. A session that was deleted and created again is read from its first event. */
  async #readOn(sessionId: string, before: Promise<Ledger> | undefined): Promise<Ledger> {
    const epoch = this.#store.get(sessionId)?.head.epoch;
    const known = await before?.catch(() => undefined);
    const ledger: Ledger = known?.epoch === epoch && known !== undefined ? known : { epoch, after: 0, commands: new Map() };
    const cut = this.#store.get(sessionId)?.head.cut ?? 0;
    if (ledger.after < cut) {
      // Retention has taken the steps of older commands; the state behind them has what is left.
      const base = await this.#store.at(sessionId, cut);
      for (const command of base?.commands ?? []) ledger.commands.set(command.command_id, command);
      ledger.after = cut;
    }
    for (;;) {
      const range = { after: ledger.after, limit: 1_000, maxChars: historyChars, filter: (type: string) => type.startsWith('command:') };
      const through = this.#store.get(sessionId)?.head.seq ?? 0;
      const events = await this.#journal.read(sessionId, { ...range, through });
      for (const { event } of events) takeIn(ledger.commands, event);
      ledger.after = events.at(-1)?.seq ?? through;
      if (events.length === 0) return ledger;
      await nextTurn();
    }
  }
}

/** Folds one step of a command. */
function takeIn(commands: Map<string, CommandState>, event: SessionEvent): void {
  const id = String(event.data['command_id']);
  const state = initialState({ session_id: event.session_id, created_at: receivedAt(event) });
  const before = commands.get(id);
  const [command] = foldAll(before === undefined ? state : { ...state, commands: [before] }, [event]).commands;
  if (command !== undefined) commands.set(id, command);
}
