import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { sessionOfStartingAgent } from '../../../adapters/session-of-starting-agent.ts';
import { limits } from '../../../core/protocol/limits.ts';
import { version } from '../../../executable/own-program.ts';
import { mcpServerFor } from '../../../mcp/mcp-server.ts';
import type { Asking } from '../../../mcp/server-calls.ts';
import type { Invocation } from '../../invocation.ts';
import type { McpOptions } from './definition.ts';
import { httpCalls } from './http-calls.ts';

/** Speaks MCP until the client closes stdin, reads no more, or a signal comes. Only messages of MCP go to stdout. */
export async function mcp({ options, settings, output, interruption }: Invocation<McpOptions>): Promise<void> {
  const own = [settings.session, sessionOfStartingAgent(process.env)].filter((session) => session !== undefined);
  const mayWrite = options.readOnly !== true;
  // In the ledger stands that an agent has sent it, and which one.
  const client = `${own[0] ?? settings.client} (mcp)`;
  const asking: Asking = {
    calls: httpCalls({ ...settings, client }),
    own,
    isSupervisor: options.supervisor === true,
    mayPublish: mayWrite,
    mayCommand: mayWrite,
  };
  const wire = new Wire(process.stdin, process.stdout, { maxBufferSize: limits.requestBytes });
  const handle = serveStdio(() => mcpServerFor(asking, version), {
    transport: wire,
    onerror: ({ message }) => output.isVerbose && output.note(message),
  });
  interruption.hold().addEventListener('abort', () => void handle.close(), { once: true });
  await wire.closed;
}

/** Stdin and stdout, until one of them is closed. */
class Wire extends StdioServerTransport {
  readonly #closed = Promise.withResolvers<void>();

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  override async close(): Promise<void> {
    await super.close();
    this.#closed.resolve();
  }
}
