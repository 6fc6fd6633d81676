import { z } from 'zod';
import {
  auditAnswer,
  decisionAnswer,
  deletedAnswer,
  historyAnswer,
  ledgerAnswer,
  sessionAnswer,
  sessionListAnswer,
  skill,
  skillListAnswer,
} from './http-answers.ts';
import { browserApi } from './browser-api.ts';
import type { Endpoint } from './http-endpoint.ts';
import { commandStatuses } from './protocol/command-status.ts';
import { cancelAnswer, commandAnswer, commandBody, commandResult, resendFields } from './protocol/command.ts';
import { eventInput } from './protocol/event.ts';
import { sessionGlob, tenantName } from './protocol/tokens.ts';
import { limits } from './protocol/limits.ts';
import { createSessionRequest, publishedMessage } from './protocol/messages.ts';
import { mcpApi } from './mcp-api.ts';
import { journalApi } from './journal-api.ts';
import { analyticsApi } from './rollup/analytics-api.ts';
import { serverApi } from './server-api.ts';
import { telemetryApi } from './telemetry-api.ts';
import { anyObject, text, boundedText } from './text/text.ts';

/** A whole number in a query. */
const wholeNumber = (max: number) =>
  z.coerce
    .number<number>('must be a number')
    .int('must be a whole number')
    .nonnegative('must not be negative')
    .max(max, `must be at most ${max}`);

const told = z.string('must be a text');

const time = z.iso.datetime('must be a time such as 2026-01-31T08:00:00Z').transform((text) => new Date(text).toISOString());

const answerRequest = z.object({ choice: text.min(1, 'must not be empty'), comment: boundedText(10_000).optional() });

const noSession = 'No such session';
const commandMeanings = {
  200: 'Finished',
  202: 'Under way',
  400: 'A field is wrong',
  404: noSession,
  409: 'Refused',
} as const;

/**
 * Every route of the server: protocol, section 7. The server's routes, their checks, the OpenAPI document and the client's calls
 * are made from this table.
 */
export const httpApi = {
  ...serverApi,
  ...analyticsApi,
  docs: {
    method: 'GET',
    path: '/api/docs',
    summary: 'This description, as OpenAPI',
    verb: null,
    answer: z.record(told, z.unknown()),
    statuses: { 200: 'The document' },
  },
  ...browserApi,
  skills: {
    method: 'GET',
    path: '/api/skills',
    summary: 'Skills, with how often they were used',
    verb: 'skills',
    query: z.object({ category: told.optional(), domain: told.optional(), tag: told.optional(), q: told.optional() }),
    answer: skillListAnswer,
    statuses: { 200: 'The skills' },
  },
  skill: {
    method: 'GET',
    path: '/api/skills/{name}',
    summary: 'One skill',
    verb: 'skills',
    answer: skill,
    statuses: { 200: 'The skill', 404: 'No such skill' },
  },
  sessions: {
    method: 'GET',
    path: '/api/sessions',
    summary: 'All sessions, or those whose names begin so',
    verb: 'sessions',
    query: z.object({ prefix: told.max(128, 'must be at most 128 characters').optional() }),
    answer: sessionListAnswer,
    statuses: { 200: 'The sessions' },
  },
  createSession: {
    method: 'POST',
    path: '/api/sessions',
    summary: 'Create a session',
    verb: 'create',
    body: createSessionRequest,
    answer: sessionAnswer,
    statuses: { 201: 'The session', 400: 'A field is wrong', 409: 'It exists already' },
  },
  session: {
    method: 'GET',
    path: '/api/sessions/{id}',
    summary: 'The fold of a session, now or at an earlier event',
    verb: 'state',
    query: z.object({ at: wholeNumber(Number.MAX_SAFE_INTEGER).optional() }),
    answer: sessionAnswer,
    statuses: { 200: 'The state', 404: noSession },
  },
  deleteSession: {
    method: 'DELETE',
    path: '/api/sessions/{id}',
    summary: 'Delete a session with its journal',
    verb: 'delete',
    answer: deletedAnswer,
    statuses: { 200: 'Deleted', 404: noSession },
  },
  publish: {
    method: 'POST',
    path: '/api/sessions/{id}/events',
    summary: 'Publish one event, a list, or NDJSON',
    verb: 'publish',
    body: z.union([eventInput, z.array(eventInput)]),
    bodyLines: ['application/x-ndjson'],
    verbChecksBody: true,
    answer: publishedMessage,
    statuses: {
      200: 'Journalled',
      400: 'A field is wrong: nothing was journalled',
      409: 'An id is known with other content',
      413: 'Too large',
    },
  },
  history: {
    method: 'GET',
    path: '/api/sessions/{id}/events',
    summary: 'History as JSON or NDJSON; a live stream with Accept: text/event-stream, which obeys Last-Event-ID',
    verb: 'history',
    query: z.object({
      after: wholeNumber(Number.MAX_SAFE_INTEGER).default(0),
      limit: wholeNumber(limits.historyEvents).default(1_000),
      /** The last event that is looked at. */
      through: wholeNumber(Number.MAX_SAFE_INTEGER).optional(),
      /** Globs over the types, with commas between them. */
      types: told.max(4_096).optional(),
      /** Only events of this time or later, and of this time or before, by the server's clock. */
      since: time.optional(),
      until: time.optional(),
    }),
    answer: historyAnswer,
    answerTexts: ['application/x-ndjson', 'text/event-stream'],
    statuses: { 200: 'Events in order', 404: noSession },
  },
  recording: {
    method: 'GET',
    path: '/api/sessions/{id}/recording',
    summary: 'The whole history as a recording: a file that shannon-dash watch and other programs read',
    verb: 'history',
    answerTexts: ['application/x-ndjson'],
    statuses: { 200: 'A header, and a line for each event up to now', 404: noSession, 410: 'Retention has taken some of it' },
  },
  command: {
    method: 'POST',
    path: '/api/sessions/{id}/commands',
    summary: 'Send a command and wait for its end, at most timeout_ms',
    verb: 'command',
    body: commandBody,
    verbChecksBody: true,
    answer: commandAnswer,
    statuses: commandMeanings,
  },
  commands: {
    method: 'GET',
    path: '/api/sessions/{id}/commands',
    summary: 'The ledger: every command of a session',
    verb: 'ledger',
    query: z.object({
      status: z.enum(commandStatuses, 'must be a status of a command').optional(),
      limit: wholeNumber(1_000).default(100),
    }),
    answer: ledgerAnswer,
    statuses: { 200: 'Commands, newest last', 404: noSession },
  },
  resendCommand: {
    method: 'POST',
    path: '/api/sessions/{id}/commands/{command}/resend',
    summary: 'Send a command again that ended without being applied; `command_id` is that of the new one',
    verb: 'resend',
    body: resendFields,
    answer: commandResult,
    statuses: { ...commandMeanings, 410: 'Retention has taken what it was sent with' },
  },
  cancelCommand: {
    method: 'POST',
    path: '/api/sessions/{id}/commands/{command}/cancel',
    summary: 'Take a command back that waits for an orchestrator',
    verb: 'cancel',
    answer: cancelAnswer,
    statuses: { 200: 'It is cancelled', 404: 'No such session or command', 409: 'An orchestrator may have it, or it has ended' },
  },
  audit: {
    method: 'GET',
    path: '/api/audit',
    summary: 'The commands of all sessions, with their senders and outcomes',
    verb: 'audit',
    query: z.object({
      session: sessionGlob.optional(),
      since: time.optional(),
      by: told.max(limits.idChars).optional(),
      limit: wholeNumber(1_000).default(100),
      before: told.max(2_048).optional(),
    }),
    answer: auditAnswer,
    statuses: { 200: 'Commands, newest last; `next` is `before` for the older ones', 400: 'A field is wrong' },
  },
  decision: {
    method: 'GET',
    path: '/api/sessions/{id}/decisions/{decision}',
    summary: 'A decision and, while it is open, the path to answer it',
    verb: 'decision',
    answer: decisionAnswer,
    statuses: { 200: 'The decision', 404: 'No such decision' },
  },
  answerDecision: {
    method: 'POST',
    path: '/api/sessions/{id}/decisions/{decision}/answer/{token}',
    summary: 'Answer a decision by its link',
    verb: 'answerLink',
    query: z.object({ tenant: tenantName.optional() }),
    body: answerRequest,
    answer: commandAnswer,
    statuses: { 200: 'Made', 202: 'Under way', 400: 'A field is wrong', 404: 'No such decision', 409: 'Made already' },
  },
  hook: {
    method: 'POST',
    path: '/api/hooks/{agent}',
    summary:
      'What a coding agent says by one of its hooks. The answer is in the form of that agent, and may take as long as the hook may be held',
    verb: 'attach',
    body: anyObject,
    answer: z.record(told, z.unknown()),
    statuses: { 200: 'What the agent is to do', 400: 'It is no event of a hook of this agent', 404: 'No such agent' },
  },
  ...journalApi,
  ...telemetryApi,
  ...mcpApi,
} as const satisfies Record<string, Endpoint>;

type HttpApi = typeof httpApi;

export type EndpointName = keyof HttpApi;

/** The names of the parameters in a path. */
type Parameters<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | Parameters<Rest> : never;

/** The parameters of an endpoint's path. */
export type PathOf<Name extends EndpointName> = Record<Parameters<HttpApi[Name]['path']>, string>;

/** The query as a client gives it. */
export type QueryInput<Name extends EndpointName> = HttpApi[Name] extends { query: infer Query extends z.ZodType }
  ? z.input<Query>
  : undefined;

/** The body as a client gives it. */
export type BodyInput<Name extends EndpointName> = HttpApi[Name] extends { body: infer Body extends z.ZodType } ? z.input<Body> : undefined;

/** The query and the body as the server has them. The verb checks the body where the row says so. */
export type QueryOf<Name extends EndpointName> = HttpApi[Name] extends { query: infer Query extends z.ZodType }
  ? z.output<Query>
  : undefined;
export type BodyOf<Name extends EndpointName> = HttpApi[Name] extends { verbChecksBody: true }
  ? unknown
  : HttpApi[Name] extends { body: infer Body extends z.ZodType }
    ? z.output<Body>
    : undefined;

/** The JSON answer. */
export type AnswerOf<Name extends EndpointName> = HttpApi[Name] extends { answer: infer Answer extends z.ZodType }
  ? z.output<Answer>
  : never;

/** A row of the table with every column. */
export function endpointOf(name: EndpointName): Endpoint {
  return httpApi[name];
}

/** The endpoints that only read, and answer with JSON. */
export type ReadName = {
  [Name in EndpointName]: HttpApi[Name] extends { method: 'GET'; answer: z.ZodType } ? Name : never;
}[EndpointName];
