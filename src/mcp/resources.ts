import { ResourceTemplate, type McpServer } from '@modelcontextprotocol/server';
import { sessionId } from '../core/ids.ts';
import { parse } from '../core/json/parse.ts';
import { mcpLimits } from '../core/protocol/limits.ts';
import { dataBlock } from './answer.ts';
import { cursorText, eventsAfter, placeOf } from './cursor.ts';
import { sessionNames } from './prompts.ts';
import type { Asking } from './server-calls.ts';
import { eventRows } from './tools/look-tools.ts';
import { listPage, sessionPage } from './pages.ts';

const scheme = 'shannon://sessions';

/** Offers the sessions as resources: pages that a person adds to a conversation. */
export function offerResources(server: McpServer, { calls }: Asking): void {
  const page = (uri: URL, text: string) => ({ contents: [{ uri: uri.href, mimeType: 'text/markdown', text }] });
  const ofMarkdown = (title: string, description: string) => ({ title, description, mimeType: 'text/markdown' });
  const complete = { session: (typed: string) => sessionNames(calls, typed) };

  server.registerResource('sessions', scheme, ofMarkdown('Sessions', 'All sessions, those that changed last first'), async (uri) =>
    page(uri, listPage(await calls.sessions())),
  );

  const session = new ResourceTemplate(`${scheme}/{session}`, { list: undefined, complete });
  server.registerResource('session', session, ofMarkdown('A session', 'Where it stands, in short'), async (uri, { session }) =>
    page(uri, sessionPage(await calls.session(idOf(session)))),
  );

  // A query that may be absent does not match in one template.
  for (const [name, query] of [
    ['events', ''],
    ['events-after', '{?after}'],
  ] as const) {
    const template = new ResourceTemplate(`${scheme}/{session}/events${query}`, { list: undefined, complete });
    server.registerResource(name, template, ofMarkdown('Events of a session', 'Its journal, from a cursor on'), async (uri, variables) => {
      const after = placeOf(textOf(variables['after']) ?? '0');
      const piece = await eventsAfter(calls, idOf(variables['session']), { after, types: [], limit: mcpLimits.events });
      const { rows, next } = eventRows(piece.events, piece.next);
      const lines = rows.map((row) => JSON.stringify(row)).join('\n');
      return page(uri, `Next: ?after=${cursorText(piece.epoch, next)}\n\n${dataBlock(lines)}\n`);
    });
  }
}

function textOf(variable: string | string[] | undefined): string | undefined {
  const text = Array.isArray(variable) ? variable[0] : variable;
  return text === undefined ? undefined : decodeURIComponent(text);
}

function idOf(variable: string | string[] | undefined): string {
  return parse(sessionId, textOf(variable), 'session');
}
