import type { LimitName } from '../../../core/protocol/errors.ts';
import { accessLimits } from '../../../core/protocol/limits.ts';
import type { Principal } from '../principal.ts';
import { Rate, tooMuch } from './rate.ts';

const { periodMs, dearReads } = accessLimits;
const seconds = periodMs / 1_000;
/** When to ask again for what others of the same token still read. */
const dearRetryMs = 1_000;

function rateOf(most: number, things: string, limit: LimitName): Rate {
  return new Rate({ most, periodMs, refusal: `One token may send ${most} ${things} in ${seconds} s`, limit });
}

/** How much one token may ask of a workspace. A token that takes the place of a former one goes on with its counts. */
export class PrincipalLimits {
  readonly #commands = rateOf(accessLimits.commands, 'commands', 'commands');
  readonly #events = rateOf(accessLimits.events, 'events', 'events');
  readonly #bytes = rateOf(accessLimits.publishedBytes, 'bytes of events', 'events');
  readonly #dear = new Map<string, number>();

  /** Counts a command. @throws ShannonDashError LIMIT_REACHED */
  command(principal: Principal): Promise<void> | undefined {
    return isCounted(principal) ? this.#commands.take(keyOf(principal)) : undefined;
  }

  /** What counts the events that a principal publishes, and rejects with LIMIT_REACHED; undefined for one that is not counted. */
  publishing(principal: Principal): ((events: readonly { data: unknown }[]) => Promise<void>) | undefined {
    if (!isCounted(principal)) return undefined;
    const key = keyOf(principal);
    return async (events) => {
      const bytes = events.reduce((sum, { data }) => sum + JSON.stringify(data).length, 0);
      await this.#events.take(key, events.length);
      await this.#bytes.take(key, bytes);
    };
  }

  /** Begins a read. @returns what ends it @throws ShannonDashError LIMIT_REACHED it is dear, and others of the same token run */
  begin(principal: Principal, isDear: boolean): () => void {
    if (!isDear || principal.token === undefined) return () => undefined;
    const key = keyOf(principal);
    const running = this.#dear.get(key) ?? 0;
    if (running >= dearReads) throw tooMuch(`${dearReads} reads of this token that take long are under way`, dearRetryMs, 'dear_reads');
    this.#dear.set(key, running + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const left = (this.#dear.get(key) ?? 1) - 1;
      if (left === 0) this.#dear.delete(key);
      else this.#dear.set(key, left);
    };
  }
}

/** An admin could stop the server just as well. */
function isCounted({ token, role }: Principal): boolean {
  return token !== undefined && role !== 'admin';
}

function keyOf({ token }: Principal): string {
  return token?.owner ?? token?.id ?? '';
}
