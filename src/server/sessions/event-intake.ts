import { eventOfCli } from '../../core/protocol/compatibility.ts';
import { parseEventInput, publishRequest, type EventInput } from '../../core/protocol/event.ts';
import { cliEventRequest, type PublishedMessage } from '../../core/protocol/messages.ts';
import { parse } from '../../core/json/parse.ts';
import { differingReceipt, timestampNow } from '../../core/timestamp.ts';
import type { AppendResult, Journal, NewEvent } from '../../journal/journal.ts';

/** How events are published. */
export interface Publishing {
  /** The name that stands in each event for its producer. */
  source: string | undefined;
  /** Throws, or rejects, where the sender may not write to this session. */
  mayPublish: (sessionId: string, lease?: string) => Promise<void> | undefined;
  /** Counts events before they are appended; rejects where the sender has published too many of late. */
  count?: ((events: readonly EventInput[]) => Promise<void>) | undefined;
  /** Whether the sender waits for the acknowledgement. */
  wantsAnswer: boolean;
}

/**
 * Takes events in from every transport: it checks them, then appends them to the journal. A wrong input is thrown at once, and a
 * promise is made only for the append: every event takes this path.
 */
export class EventIntake {
  readonly #journal: Journal;
  readonly #onPublished: (elapsedMs: number) => void;

  /** @param onPublished called when a request is committed, with the time since it was received */
  constructor(journal: Journal, onPublished: (elapsedMs: number) => void) {
    this.#journal = journal;
    this.#onPublished = onPublished;
  }

  /** `publish`: all of the events or none. */
  publish(input: unknown, publishing: Publishing): Promise<PublishedMessage> {
    const { session_id, lease, events } = parse(publishRequest, input);
    const allowed = publishing.mayPublish(session_id, lease);
    // A fault of an event is thrown before anybody waits for this.
    allowed?.catch(() => undefined);
    const checked = events.map((event, index) => parseEventInput(event, `events[${index}]`));
    return this.#append({ sessionId: session_id, events: checked, allowed }, publishing, ({ epoch, first_seq, last_seq }) => ({
      success: true,
      epoch,
      first_seq,
      last_seq,
    }));
  }

  /** `cli_event`, the older channel. */
  publishCliEvent(input: unknown, publishing: Publishing): Promise<{ success: true }> {
    const cliEvent = parse(cliEventRequest, input);
    const { session_id: sessionId } = cliEvent;
    const allowed = publishing.mayPublish(sessionId);
    const events = [{ ...eventOfCli(cliEvent), mendsTexts: true as const }];
    return this.#append({ sessionId, events, allowed }, publishing, () => ({ success: true }));
  }

  #append<Answer>(
    {
      sessionId,
      events,
      allowed,
    }: { sessionId: string; events: readonly (EventInput & Pick<NewEvent, 'mendsTexts'>)[]; allowed: Promise<void> | undefined },
    { source, wantsAnswer, count }: Publishing,
    answer: (appended: AppendResult) => Answer,
  ): Promise<Answer> {
    const startedAt = performance.now();
    const newEvents = events.map(({ type, data, id, timestamp, mendsTexts }): NewEvent => ({
      type,
      data,
      id,
      source,
      mendsTexts,
      timestamp: timestamp ?? timestampNow(),
      received_at: timestamp === undefined ? undefined : differingReceipt(timestamp),
    }));
    const append = () => this.#journal.append(sessionId, newEvents, { latency: wantsAnswer ? 'normal' : 'relaxed' });
    const counted = count === undefined ? allowed : (allowed ?? Promise.resolve()).then(() => count(events));
    return (counted === undefined ? append() : counted.then(append)).then((appended) => {
      this.#onPublished(performance.now() - startedAt);
      return answer(appended);
    });
  }
}
