import { z } from 'zod';
import { cursor, type SessionEvent } from './event.ts';
import { eventTypes } from '../event-filter.ts';
import { optionalSessionId, sessionId, shortId } from '../ids.ts';
import type { SessionState } from './session-state.ts';
import { anyObject, textOf } from '../text/text.ts';

/** What a client may say of itself when it connects (`auth`; `session_id` also in the query). */
export const handshake = z.object({
  token: textOf(8_192).optional(),
  session_id: optionalSessionId,
  client: textOf(128).optional(),
  /** False: no subscription comes with the connection. Producers and operators of this package say so. */
  subscribe: z.boolean().default(true),
});

/** `subscribe`: without a session, every session. */
export const subscribeRequest = z
  .object({
    session_id: optionalSessionId,
    event_types: eventTypes.nullish().transform((types) => types ?? undefined),
    after: cursor.nullish().transform((after) => after ?? undefined),
    batch: z.boolean('must be true or false').default(false),
  })
  .refine((request) => request.after === undefined || request.session_id !== undefined, {
    path: ['after'],
    message: 'a cursor belongs to one session: give session_id too',
  });

export const unsubscribeRequest = z.object({ session_id: optionalSessionId });

/** `orchestrator:attach`. */
export const attachRequest = z.object({
  session_id: sessionId,
  instance_id: shortId,
  capabilities: z.array(textOf(128), 'must be a list of texts').max(64).default([]),
  /** True on a reconnect: refused when another instance has attached since, where a first attach takes over. */
  reattach: z.boolean().default(false),
  /** False: refused where another instance is attached, instead of taking the session over from it. */
  take_over: z.boolean().default(true),
  /** The instance that supervises this one (`run` and its child): takes the commands of its own capabilities and leaves the rest. */
  under: shortId.optional(),
});

export type AttachRequest = z.output<typeof attachRequest>;

/** `POST /api/sessions`. */
export const createSessionRequest = z.object({
  session_id: sessionId,
  skills: z.array(textOf(1_000), 'must be a list of texts').max(1_000).optional(),
  metadata: anyObject.optional(),
});

/** `cli_event`: protocol, section 8. */
export const cliEventRequest = z.looseObject({
  session_id: sessionId,
  event_type: z.string('must be a text'),
  timestamp: z.unknown().optional(),
  data: z.unknown().optional(),
});

export interface ConnectedMessage {
  server_version: string;
  protocol: number;
  epoch: string;
  session_id: string | null;
  /** The types of commands that it takes. */
  capabilities: string[];
  /** What the protocol can do: the requests beyond commands. */
  features: string[];
  role: string;
  timestamp: string;
}

export interface SubscribedMessage {
  success: true;
  session_id: string | null;
  event_types: string[];
  epoch: string;
  seq: number;
  timestamp: string;
}

export interface SessionStateMessage {
  session: SessionState;
  epoch: string;
  seq: number;
  timestamp: string;
}

export interface SessionGapMessage {
  session_id: string;
  requested: { epoch: string; seq: number };
  first_available: number;
  epoch: string;
  reason: 'epoch' | 'retention';
  timestamp: string;
}

export interface EventsMessage {
  session_id: string;
  events: SessionEvent[];
}

export interface PublishedMessage {
  success: true;
  epoch: string;
  first_seq: number;
  last_seq: number;
}

export interface AttachedMessage {
  success: true;
  epoch: string;
  state: SessionState;
  commands: SessionState['commands'];
}
