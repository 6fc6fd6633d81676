import type { EventData, KnownEventType } from '../../core/protocol/event-table.ts';

/** An event to publish. */
export type Told = { [Type in KnownEventType]: { type: Type; data: EventData<Type> } }[KnownEventType];
