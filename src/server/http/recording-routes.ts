import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream/promises';
import type { FastifyInstance } from 'fastify';
import { recordingType } from '../../core/journal-api.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import { principalOf, type RouteParts } from './route-parts.ts';
import { addRoute } from './route.ts';

/** `/api/recordings`: sessions as files are brought to the journal. */
export function addRecordingRoutes(app: FastifyInstance, parts: RouteParts): void {
  let underWay = 0;
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // Read line by line as it comes: a recording may be larger than the memory.
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    addRoute(scope, 'import', async ({ query, request }) => {
      const bring = parts.as(principalOf(request)).import();
      const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
      if (type !== recordingType)
        throw new ShannonDashError('UNSUPPORTED', `Content-Type ${type?.slice(0, 100) ?? 'none'} is not read here; send ${recordingType}`);
      if (underWay >= limits.imports)
        throw new ShannonDashError('LIMIT_REACHED', `${limits.imports} imports are under way; wait until one is done`, undefined, {
          limit: 'imports',
        });
      underWay++;
      try {
        return await bring(bytesOf(request.raw), query);
      } finally {
        // After a fault the rest is let go, so that the client comes to read of it.
        request.raw.resume();
        if (request.headers.connection === 'close') await finished(request.raw).catch(() => undefined);
        underWay--;
      }
    });
  });
}

/** A body as it comes. It is not destroyed where reading ends before it: its connection would be, too. */
async function* bytesOf(body: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    yield* body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw new ShannonDashError('UNAVAILABLE', 'The connection was cut before the recording was whole', undefined, { cause });
  }
}
