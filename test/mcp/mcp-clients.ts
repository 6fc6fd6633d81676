import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { onTestFinished } from 'vitest';
import { bin, nodePath, type Place } from '../cli/started-program.ts';

/** Both eras of the protocol, on both transports. */
export const kinds = [
  { name: 'stdio, 2025', transport: 'stdio', mode: 'legacy' },
  { name: 'stdio, 2026', transport: 'stdio', mode: { pin: '2026-07-28' } },
  { name: 'HTTP, 2025', transport: 'http', mode: 'legacy' },
  { name: 'HTTP, 2026', transport: 'http', mode: { pin: '2026-07-28' } },
] as const;

/** Each transport and each era once, for what is the same on all four. */
export const eachOnce = [kinds[1], kinds[2]] as const;

export type Kind = (typeof kinds)[number];

/** What a tool answered. */
interface Told {
  /** What the server says itself; empty for a failure. */
  facts: Record<string, unknown>;
  /** What others wrote. */
  data: Record<string, unknown>;
  text: string;
  isError: boolean;
}

/** An agent's MCP client. */
class McpClient {
  readonly client: Client;

  constructor(client: Client) {
    this.client = client;
  }

  async call(name: string, args: object = {}, signal?: AbortSignal): Promise<Told> {
    const params = { name, arguments: args as Record<string, unknown> };
    const result = await this.client.callTool(params, signal === undefined ? {} : { signal });
    const { session_data: data = {}, ...facts } = (result.structuredContent ?? {}) as Record<string, unknown>;
    const [content] = result.content;
    const text = content?.type === 'text' ? content.text : '';
    return { facts, data: data as Record<string, unknown>, text, isError: result.isError === true };
  }
}

interface As {
  session?: string;
  supervisor?: boolean;
  readOnly?: boolean;
  token?: string;
}

/** Connects a client by the real program, or by the route of its server. */
export async function connectMcp(
  { transport, mode }: Kind,
  { env, folder }: Place,
  { session, supervisor = false, readOnly = false, token }: As = {},
) {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  onTestFinished(() => client.close());
  if (transport === 'stdio') {
    const args = [
      ...(session === undefined ? [] : ['--session', session]),
      ...(supervisor ? ['--supervisor'] : []),
      ...(readOnly ? ['--read-only'] : []),
    ];
    const variables = { ...env, ...(token === undefined ? {} : { SHANNON_DASH_TOKEN: token }) };
    const given = Object.fromEntries(Object.entries(variables).filter((each): each is [string, string] => each[1] !== undefined));
    await client.connect(new StdioClientTransport({ command: nodePath, args: [bin, 'mcp', ...args], env: given, cwd: folder }));
  } else {
    const url = new URL('/mcp', env['SHANNON_DASH_URL']);
    if (session !== undefined) url.searchParams.set('session', session);
    if (supervisor) url.searchParams.set('supervisor', 'true');
    if (readOnly) url.searchParams.set('read_only', 'true');
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
  }
  return new McpClient(client);
}
