import { z } from 'zod';
import type { Verb } from './access.ts';
import {
  auditAnswer,
  decisionAnswer,
  deletedAnswer,
  healthAnswer,
  historyAnswer,
  ledgerAnswer,
  loginCodeAnswer,
  sessionAnswer,
  sessionListAnswer,
  skill,
  skillListAnswer,
  statsAnswer,
} from './http-answers.ts';
import { commandStatuses } from './protocol/command-status.ts';
import { commandAnswer, commandBody } from './protocol/command.ts';
import { eventInput } from './protocol/event.ts';
import { sessionGlob, tenantName } from './protocol/tokens.ts';
import { limits } from './protocol/limits.ts';
import { createSessionRequest, publishedMessage } from './protocol/messages.ts';
import { text, boundedText } from './text/text.ts';

/** One row of the HTTP interface. */
interface Endpoint {
  method: 'GET' | 'POST' | 'DELETE';
  /** With `{name}` for each parameter. */
  path: string;
  summary: string;
  /** What a caller has to be allowed to do: a verb of the workspace. Null: anybody may ask, or, with `needsCaller`, any role. */
  verb: Verb | null;
  needsCaller?: true;
  query?: z.ZodObject;
  /** What is posted. */
  body?: z.ZodType;
  /** Types of bodies that hold a JSON document on each line. */
  bodyLines?: readonly string[];
  /** True: the verb itself checks the body, because its errors name each event or field as the other transports do. */
  verbChecksBody?: boolean;
  /** A JSON document; absent where the answer is a text of another kind. */
  answer?: z.ZodType;
  /** Types of answers that are texts. Beside a JSON document: for callers that ask for one in `Accept`. */
  answerTexts?: readonly string[];
  /** What each status says. */
  statuses: Readonly<Record<number, string>>;
}

/** A whole number in a query. */
const wholeNumber = (max: number) =>
  z.coerce
    .number<number>('must be a number')
    .int('must be a whole number')
    .nonnegative('must not be negative')
    .max(max, `must be at most ${max}`);

const told = z.string('must be a text');

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
  health: {
    method: 'GET',
    path: '/health',
    summary: 'Whether the server is well',
    verb: 'health',
    query: z.object({ challenge: told.regex(/^[\w-]{16,128}$/, 'must be 16 to 128 of A-Z a-z 0-9 _ -').optional() }),
    answer: healthAnswer,
    statuses: { 200: 'It is', 503: 'Nothing can be journalled now: `status` is `degraded`, and `reason` says why' },
  },
  stats: {
    method: 'GET',
    path: '/api/stats',
    summary: 'Figures of the server',
    verb: 'stats',
    answer: statsAnswer,
    statuses: { 200: 'Connections, watchers, rates, journal' },
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Figures for Prometheus',
    verb: 'metrics',
    answerTexts: ['text/plain'],
    statuses: { 200: 'Text exposition format' },
  },
  docs: {
    method: 'GET',
    path: '/api/docs',
    summary: 'This description, as OpenAPI',
    verb: null,
    answer: z.record(told, z.unknown()),
    statuses: { 200: 'The document' },
  },
  loginCode: {
    method: 'POST',
    path: '/api/login-codes',
    summary: 'A link that logs a browser in as the caller: it works once, within a minute',
    verb: null,
    needsCaller: true,
    answer: loginCodeAnswer,
    statuses: { 201: 'The link; a path where the server does not know its public URL', 401: 'A token is needed' },
  },
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
    summary: 'All sessions',
    verb: 'sessions',
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
      /** Globs over the types, with commas between them. */
      types: told.max(4_096).optional(),
    }),
    answer: historyAnswer,
    answerTexts: ['application/x-ndjson', 'text/event-stream'],
    statuses: { 200: 'Events in order', 404: noSession },
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
  audit: {
    method: 'GET',
    path: '/api/audit',
    summary: 'The commands of all sessions, with their senders and outcomes',
    verb: 'audit',
    query: z.object({
      session: sessionGlob.optional(),
      since: z.iso
        .datetime('must be a time such as 2026-01-31T08:00:00Z')
        .transform((text) => new Date(text).toISOString())
        .optional(),
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
