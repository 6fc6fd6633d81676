import { z } from 'zod';
import {
  cancelAnswer,
  cancelRequest,
  commandAnswer,
  commandBody,
  commandExecution,
  commandResult,
  commandState,
  commandUpdate,
  resendRequest,
} from './command.ts';
import { cursor, eventList, publishRequest } from './event.ts';
import { eventTypes } from '../event-filter.ts';
import { optionalSessionId, sessionId, shortId } from '../ids.ts';
import { knownWord, openObject } from '../json/open-object.ts';
import { sessionState } from './session-state.ts';
import { limits } from './limits.ts';
import { anyObject, boundedText } from '../text/text.ts';

/** What a client may say of itself when it connects (`auth`; `session_id` also in the query). */
export const handshake = z.object({
  token: boundedText(8_192).optional(),
  session_id: optionalSessionId,
  client: boundedText(128).optional(),
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
  capabilities: z.array(boundedText(128), 'must be a list of texts').max(64).default([]),
  /** True on a reconnect: refused when another instance has attached since, where a first attach takes over. */
  reattach: z.boolean().default(false),
  /** False: refused where another instance is attached, instead of taking the session over from it. */
  take_over: z.boolean().default(true),
  /** The instance that supervises this one (`run` and its child): takes the commands of its own capabilities and leaves the rest. */
  under: shortId.optional(),
  /** What the answer to a former attach gave: proves that the attachment is this client's own, where its token does not. */
  lease: boundedText(limits.idChars).optional(),
  /** Whether the answer is to have a token for the programs that this client starts, where they need one. */
  child_token: z.boolean('must be true or false').optional(),
});

export type AttachRequest = z.output<typeof attachRequest>;

/** `POST /api/sessions`. */
export const createSessionRequest = z.object({
  session_id: sessionId,
  skills: z.array(boundedText(1_000), 'must be a list of texts').max(1_000).optional(),
  metadata: anyObject.optional(),
});

/** `cli_event`: protocol, section 8. */
export const cliEventRequest = z.looseObject({
  session_id: sessionId,
  event_type: z.string('must be a text'),
  timestamp: z.unknown().optional(),
  data: z.unknown().optional(),
});

const told = z.string('must be a text');
const count = z.number('must be a number');
const success = z.literal(true, 'must be true');

/** What the server says first. */
const connectedMessage = openObject({
  server_version: told,
  protocol: count,
  epoch: told,
  session_id: told.nullable(),
  /** The types of commands that it takes. */
  capabilities: z.array(told),
  /** What the protocol can do: the requests beyond commands. */
  features: z.array(told).default([]),
  role: told,
  timestamp: told,
});

const subscribedMessage = openObject({
  success,
  session_id: told.nullable(),
  event_types: z.array(told),
  epoch: told,
  seq: count,
  timestamp: told,
});

const sessionStateMessage = openObject({ session: sessionState, epoch: told, seq: count, timestamp: told });

const sessionGapMessage = openObject({
  session_id: told,
  requested: openObject({ epoch: told, seq: count }),
  first_available: count,
  epoch: told,
  reason: knownWord(['epoch', 'retention'] as const),
  timestamp: told,
});

const eventsMessage = openObject({ session_id: told, events: eventList });

/** The answer to `publish`, on every transport. */
export const publishedMessage = openObject({ success, epoch: told, first_seq: count, last_seq: count });

const attachedMessage = openObject({
  success,
  epoch: told,
  state: sessionState,
  commands: z.array(commandState),
  /** A secret of this client, to be shown when it attaches again. A server of an older version gives none. */
  lease: told.optional(),
  /** Role orchestrator, for this session alone, as long as this client is attached or comes back. */
  child_token: told.optional(),
});

const sessionMessage = openObject({ session_id: told, timestamp: told });

/** What a server sends unasked, by the name of the message: protocol, section 4. */
export const serverMessages = {
  connected: connectedMessage,
  subscribed: subscribedMessage,
  events: eventsMessage,
  'session:state': sessionStateMessage,
  'session:gap': sessionGapMessage,
  'session:created': sessionMessage,
  'session:deleted': sessionMessage,
  'command:execute': commandExecution,
  'orchestrator:superseded': openObject({ session_id: told, instance_id: told, timestamp: told }),
  'server:shutdown': openObject({ timestamp: told }),
} as const satisfies Record<string, z.ZodType>;

export type ServerMessageName = keyof typeof serverMessages;
export type ServerMessage<Name extends ServerMessageName> = z.output<(typeof serverMessages)[Name]>;

/** What stands with each request of a client, by its name. `command` also has the fields of its type, and may name a session or `*`. */
export const requests = {
  subscribe: subscribeRequest,
  unsubscribe: unsubscribeRequest,
  publish: publishRequest,
  cli_event: cliEventRequest,
  command: commandBody,
  'command:resend': resendRequest,
  'command:cancel': cancelRequest,
  'command:update': commandUpdate,
  'orchestrator:attach': attachRequest,
  ping: z.unknown(),
} as const satisfies Record<string, z.ZodType>;

export type RequestName = keyof typeof requests;

/** Answers that also come as a message of their own name, for clients that give no callback. A subscription tells `subscribed` by itself. */
export const answerNames = { command: 'command:result', ping: 'pong' } as const satisfies Partial<Record<RequestName, string>>;

const done = openObject({ success });

/** The acknowledgement of each request, by the request's name. A refusal is an error body instead. */
export const answers = {
  subscribe: subscribedMessage,
  unsubscribe: done,
  publish: publishedMessage,
  cli_event: done,
  command: commandAnswer,
  'command:resend': commandResult,
  'command:cancel': cancelAnswer,
  'command:update': done,
  'orchestrator:attach': attachedMessage,
  ping: openObject({ timestamp: told }),
} as const satisfies Record<RequestName, z.ZodType>;

export type Answer<Name extends RequestName> = z.output<(typeof answers)[Name]>;

export interface ConnectedMessage extends ServerMessage<'connected'> {}
export interface SubscribedMessage extends ServerMessage<'subscribed'> {}
export interface SessionStateMessage extends ServerMessage<'session:state'> {}
export interface SessionGapMessage extends ServerMessage<'session:gap'> {}
export interface EventsMessage extends ServerMessage<'events'> {}
export interface PublishedMessage extends Answer<'publish'> {}
export interface AttachedMessage extends Answer<'orchestrator:attach'> {}
