import { typedFilter, typedGlob } from '../../view/log/log-buffer.ts';
import { eventLine, type EventLine } from './event-lines.ts';
import { Lookback, type ReadPart } from './lookback.ts';

/** The events of a session that pass a filter, looked for from the newest to the oldest. */
export class EventSearch extends Lookback<EventLine> {
  readonly typed: string;

  /** @param typed as in the terminal: a glob over the types, or a part of the line; `!` turns it round. @param seq the newest event */
  constructor(typed: string, seq: number, read: ReadPart, onNews: () => void) {
    const passes = typedFilter(typed);
    super({
      seq,
      types: typedGlob(typed),
      linesOf: (event) => [eventLine(event)].filter(passes),
      windowEvents: 2_000,
      enoughLines: 200,
      mostLines: 10_000,
      read,
      onNews,
    });
    this.typed = typed;
  }
}
