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
  /** Throws where the sender may not write to this session. */
  mayPublish: (sessionId: string) => void;
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
    const { session_id, events } = parse(publishRequest, input);
    publishing.mayPublish(session_id);
    const checked = events.map((event, index) => parseEventInput(event, `events[${index}]`));
    return this.#append(session_id, checked, publishing, ({ epoch, first_seq, last_seq }) => ({
      success: true,
      epoch,
      first_seq,
      last_seq,
    }));
  }

  /** `cli_event`, the older channel. */
  publishCliEvent(input: unknown, publishing: Publishing): Promise<{ success: true }> {
    const cliEvent = parse(cliEventRequest, input);
    publishing.mayPublish(cliEvent.session_id);
    return this.#append(cliEvent.session_id, [{ ...eventOfCli(cliEvent), mendsTexts: true }], publishing, () => ({ success: true }));
  }

  #append<Answer>(
    sessionId: string,
    events: readonly (EventInput & Pick<NewEvent, 'mendsTexts'>)[],
    { source, wantsAnswer }: Publishing,
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
    return this.#journal.append(sessionId, newEvents, { latency: wantsAnswer ? 'normal' : 'relaxed' }).then((appended) => {
      this.#onPublished(performance.now() - startedAt);
      return answer(appended);
    });
  }
}
