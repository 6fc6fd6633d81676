import type { FastifyInstance } from 'fastify';
import { ShannonDashError } from '../../core/errors.ts';
import { addCommandRoutes, addDecisionRoutes } from './command-routes.ts';
import { addEventRoutes } from './event-routes.ts';
import { sendError } from './http-errors.ts';
import type { RouteParts } from './route-parts.ts';
import { addServerRoutes } from './server-routes.ts';
import { addSessionRoutes } from './session-routes.ts';

/** Adds every HTTP route: protocol, section 7. */
export function addRoutes(app: FastifyInstance, parts: RouteParts): void {
  addBodyParsers(app);
  app.setNotFoundHandler((request, reply) =>
    sendError(reply, new ShannonDashError('NOT_FOUND', `There is no ${request.method} ${request.url.slice(0, 200)}; see GET /api/docs`)),
  );
  addServerRoutes(app, parts);
  addSessionRoutes(app, parts);
  addEventRoutes(app, parts);
  addCommandRoutes(app, parts);
  addDecisionRoutes(app, parts);
}

function addBodyParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(String(body)));
    } catch (error) {
      done(new ShannonDashError('INVALID', `The body is not JSON: ${(error as Error).message}`));
    }
  });
  app.addContentTypeParser('application/x-ndjson', { parseAs: 'string' }, (_request, body, done) => {
    const lines = String(body).split('\n');
    const events: unknown[] = [];
    for (const [index, line] of lines.entries()) {
      if (line.trim() === '') continue;
      try {
        events.push(JSON.parse(line));
      } catch (error) {
        done(new ShannonDashError('INVALID', `Line ${index + 1} is not JSON: ${(error as Error).message}`));
        return;
      }
    }
    done(null, events);
  });
}
