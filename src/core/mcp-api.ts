import { z } from 'zod';
import type { Endpoint } from './http-endpoint.ts';
import { sessionId } from './ids.ts';
import { anyObject } from './text/text.ts';

/** A switch in a query. */
const flag = z.enum(['true', 'false'], 'must be true or false').transform((text) => text === 'true');

/** The Model Context Protocol (Streamable HTTP). */
export const mcpApi = {
  mcp: {
    method: 'POST',
    path: '/mcp',
    summary: 'The Model Context Protocol, for agents: one message of JSON-RPC (Streamable HTTP, without sessions)',
    verb: null,
    needsCaller: true,
    query: z.object({
      /** The session that shows the asking agent itself. */
      session: sessionId.optional(),
      /** The asking agent is no session of this server: it may steer every one. */
      supervisor: flag.optional(),
      /** Only the tools that change nothing. */
      read_only: flag.optional(),
    }),
    body: anyObject,
    answer: z.record(z.string('must be a text'), z.unknown()),
    answerTexts: ['text/event-stream'],
    statuses: { 200: 'The answer', 202: 'Taken; there is no answer', 400: 'The message is none of this protocol' },
  },
  mcpStream: {
    method: 'GET',
    path: '/mcp',
    summary: 'What clients of the older protocol ask for messages by the server: it sends none',
    verb: null,
    needsCaller: true,
    statuses: { 405: 'There is no stream' },
  },
  mcpEnd: {
    method: 'DELETE',
    path: '/mcp',
    summary: 'What clients of the older protocol end a session by: there are none',
    verb: null,
    needsCaller: true,
    statuses: { 405: 'There are no sessions' },
  },
} as const satisfies Record<string, Endpoint>;
