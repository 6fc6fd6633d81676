import { eventFilter, type EventFilter } from '../../../core/event-filter.ts';
import { parseCommand, type CommandResult } from '../../../core/protocol/command.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import type { SessionEvent } from '../../../core/protocol/event.ts';
import { limits, mcpLimits } from '../../../core/protocol/limits.ts';
import { Pulse } from '../../../mcp/pulse.ts';
import type { ServerCalls } from '../../../mcp/server-calls.ts';
import type { Delivery } from '../../sessions/watching/delivery.ts';
import type { Watcher } from '../../sessions/watching/watcher.ts';
import { firstAvailable } from '../../workspace/workspace-requests.ts';
import type { WorkspaceAccess } from '../../workspace/workspace-access.ts';

/** What a page of history may hold before the tool shortens it, in characters. */
const historyChars = limits.eventBytes;

/** How many calls of tools wait, over all callers. */
export class McpWaits {
  #count = 0;

  /** @throws ShannonDashError LIMIT_REACHED */
  enter(): void {
    if (this.#count >= mcpLimits.waits) {
      throw new ShannonDashError('LIMIT_REACHED', `${mcpLimits.waits} calls wait already; try again`, undefined, { limit: 'mcp_waits' });
    }
    this.#count++;
  }

  leave(): void {
    this.#count--;
  }
}

/** What the tools ask, answered by the server itself, as far as the principal may have it. */
export function workspaceCalls(access: WorkspaceAccess, waits: McpWaits): ServerCalls {
  return {
    async sessions() {
      const { sessions, close } = await access.sessions();
      close();
      return sessions;
    },
    session: (session) => access.state(session),
    async history(session, { after, limit, types }) {
      await access.ready(session);
      const history = access.history(session, limit);
      try {
        const range = { after, limit, through: history.seq, filter: eventFilter(types), maxChars: historyChars };
        const read = await history.read(range);
        const chars = read.reduce((sum, event) => sum + event.json.length, 0);
        const isPart = read.length >= limit || chars >= historyChars;
        const events = read.map(({ json }) => JSON.parse(json) as SessionEvent);
        const begin = firstAvailable({ cut: history.cut() });
        return { events, epoch: history.epoch, ...begin, next: isPart ? (read.at(-1)?.seq ?? after) : history.seq };
      } finally {
        history.close();
      }
    },
    decision: (session, decisionId) => access.decision(session, decisionId),
    publish: (session, event) => access.publish({ session_id: session, events: [event] }, { wantsAnswer: true }),
    // It names one session, so one result comes.
    command: (command) => access.command(parseCommand(command)) as Promise<CommandResult>,
    async *changes(session, types, signal) {
      waits.enter();
      const pulse = new Pulse();
      const filter = eventFilter(types);
      try {
        const subscription = await access.watch(session, new PulseWatcher(pulse, filter), { filter });
        try {
          pulse.beat();
          yield* pulse.beats(signal);
        } finally {
          subscription.close();
        }
      } finally {
        waits.leave();
      }
    },
  };
}

/** A reader that only wants to know that something has come. */
class PulseWatcher implements Watcher {
  readonly #pulse: Pulse;
  readonly #filter: EventFilter;

  constructor(pulse: Pulse, filter: EventFilter) {
    this.#pulse = pulse;
    this.#filter = filter;
  }

  deliver({ events }: Delivery): void {
    if (events.some(({ type }) => this.#filter(type))) this.#pulse.beat();
  }

  async replay(): Promise<boolean> {
    this.#pulse.beat();
    return true;
  }

  tell(): void {
    this.#pulse.beat();
  }

  async tellPaced(): Promise<boolean> {
    return true;
  }

  async drained(): Promise<void> {}

  cut(): void {
    this.#pulse.end();
  }
}
