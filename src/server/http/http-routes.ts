import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { withoutByteOrderMark } from '../../core/json/byte-order-mark.ts';
import { cutText } from '../../core/text/cut-text.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { parseJson } from '../../core/json/exact-json.ts';
import { limits } from '../../core/protocol/limits.ts';
import { dearJson, isDearJson } from '../access/dear-json.ts';
import { addBrowserRoutes } from './browser/browser-routes.ts';
import { addAuditRoute, addCommandRoutes, addDecisionRoutes } from './command-routes.ts';
import { addEventRoutes } from './event-routes.ts';
import { addHookRoutes } from './hook-routes.ts';
import { sendError } from './http-errors.ts';
import { addJournalRoutes } from './journal-routes.ts';
import { addMcpRoute } from './mcp/mcp-route.ts';
import { addRecordingRoutes } from './recording-routes.ts';
import type { RouteParts } from './route-parts.ts';
import { addServerRoutes } from './server-routes.ts';
import { addSessionRoutes } from './session-routes.ts';
import { addTelemetryRoutes } from './telemetry-routes.ts';

/** Adds every HTTP route: protocol, section 7. */
export function addRoutes(app: FastifyInstance, parts: RouteParts): void {
  addBodyParsers(app);
  app.setNotFoundHandler((request, reply) =>
    sendError(reply, new ShannonDashError('NOT_FOUND', `There is no ${request.method} ${cutText(request.url, 200)}; see GET /api/docs`)),
  );
  addServerRoutes(app, parts);
  addBrowserRoutes(app, parts);
  addSessionRoutes(app, parts);
  addEventRoutes(app, parts);
  addCommandRoutes(app, parts);
  addAuditRoute(app, parts);
  addDecisionRoutes(app, parts);
  addHookRoutes(app, parts);
  addJournalRoutes(app, parts);
  addRecordingRoutes(app, parts);
  addTelemetryRoutes(app, parts);
  addMcpRoute(app, parts);
}

function addBodyParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      const text = decodedBody(request, body);
      if (isDearJson(text)) throw dearJson('The body');
      done(null, text === '' ? undefined : parseJson(text));
    } catch (error) {
      done(asInvalid(error, 'The body'));
    }
  });
  app.addContentTypeParser('application/x-ndjson', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      const text = decodedBody(request, body);
      if (isDearJson(text)) throw dearJson('The body');
      done(null, eventsIn(text));
    } catch (error) {
      done(asInvalid(error, 'The body'));
    }
  });
}

/** @throws ShannonDashError INVALID a line that is not JSON, or more lines than one request may have events */
function eventsIn(text: string): unknown[] {
  const events: unknown[] = [];
  let number = 0;
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const line = text.slice(start, end).trim();
    start = end + 1;
    number++;
    if (line === '') continue;
    if (events.length === limits.publishEvents) {
      throw new ShannonDashError('INVALID', `The body must have at most ${limits.publishEvents} events, a line each; send more requests`);
    }
    try {
      events.push(parseJson(line));
    } catch (error) {
      throw error instanceof ShannonDashError
        ? new ShannonDashError('INVALID', `Line ${number}: ${error.message}`)
        : asInvalid(error, `Line ${number}`);
    }
  }
  return events;
}

/** @throws ShannonDashError what cannot be read as it was meant is refused: half-read, it would be journalled as something else */
function decodedBody({ headers }: FastifyRequest, body: string | Buffer): string {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ShannonDashError('UNSUPPORTED', `Content-Encoding ${encoding.slice(0, 100)} is not read here; send the body as it is`);
  }
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  if (!isUtf8(bytes)) throw new ShannonDashError('INVALID', 'The body is not UTF-8; encode its texts so');
  return withoutByteOrderMark(bytes.toString());
}

function asInvalid(error: unknown, what: string): ShannonDashError {
  if (error instanceof ShannonDashError) return error;
  return new ShannonDashError('INVALID', `${what} is not JSON: ${(error as Error).message}`);
}
