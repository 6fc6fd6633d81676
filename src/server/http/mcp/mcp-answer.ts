import type { IncomingHttpHeaders } from 'node:http';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { mcpServerFor } from '../../../mcp/mcp-server.ts';
import type { Asking } from '../../../mcp/server-calls.ts';

/** One message to the MCP server. */
export interface McpMessage {
  headers: IncomingHttpHeaders;
  message: unknown;
  asking: Asking;
  version: string;
  /** Aborted once nobody waits for the answer. */
  signal: AbortSignal;
}

/**
 * Answers one message of MCP, of either era: there are no sessions of the protocol, so each message has a server of its own, made for
 * its caller. The answer is whole before it is sent: it is small.
 */
export async function answerMcp({ headers, message, asking, version, signal }: McpMessage): Promise<Response> {
  const handler = createMcpHandler(() => mcpServerFor({ ...asking, calls: stoppingWith(asking.calls, signal) }, version), {
    // Nothing changes but by the tools and resources that are asked for: there is nothing to subscribe to.
    maxSubscriptions: 0,
  });
  const given = Object.entries(headers).filter((header): header is [string, string] => typeof header[1] === 'string');
  // The address is known to the guard; here it only has to be one.
  const request = new Request('http://127.0.0.1/mcp', { method: 'POST', headers: given, signal });
  return handler.fetch(request, { parsedBody: message });
}

/** The same calls, whose waiting ends when nobody waits for the answer. */
function stoppingWith(calls: Asking['calls'], gone: AbortSignal): Asking['calls'] {
  return { ...calls, changes: (session, types, signal) => calls.changes(session, types, AbortSignal.any([signal, gone])) };
}
