import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream/promises';
import type { FastifyInstance } from 'fastify';
import { recordingType } from '../../core/journal-api.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import { beginPatience } from '../access/request-mark.ts';
import { principalOf, type RouteParts } from './route-parts.ts';
import { addRoute } from './route.ts';

/** `/api/recordings`: sessions as files are brought to the journal. */
export function addRecordingRoutes(app: FastifyInstance, parts: RouteParts): void {
  let underWay = 0;
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // Read line by line as it comes: a recording may be larger than the memory.
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    addRoute(scope, 'import', async ({ query, request, reply }) => {
      const bring = parts.as(principalOf(request)).import();
      const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
      if (type !== recordingType)
        throw new ShannonDashError('UNSUPPORTED', `Content-Type ${type?.slice(0, 100) ?? 'none'} is not read here; send ${recordingType}`);
      if (underWay >= limits.imports)
        throw new ShannonDashError('LIMIT_REACHED', `${limits.imports} imports are under way; wait until one is done`, undefined, {
          limit: 'imports',
        });
      underWay++;
      const endPatience = beginPatience(request.raw);
      let isSilent = false;
      // There is nothing to wait for that would have to be let go.
      const onSilence = () => void ((isSilent = true), reply.header('connection', 'close'));
      try {
        return await bring(bytesOf(request.raw, onSilence), query);
      } finally {
        endPatience();
        // After a fault the rest is let go, so that the client comes to read of it.
        request.raw.resume();
        if (request.headers.connection === 'close' && !isSilent) await finished(request.raw).catch(() => undefined);
        underWay--;
      }
    });
  });
}

/**
 * A body as it comes, which may take long while something comes. It is not destroyed where reading ends before it: its connection would
 * be, too.
 */
async function* bytesOf(body: IncomingMessage, onSilence: () => void): AsyncGenerator<Uint8Array> {
  const pieces = body.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Uint8Array>;
  let isSilent = false;
  try {
    for (;;) {
      const piece = await inTime(pieces.next());
      if (piece === undefined) {
        isSilent = true;
        onSilence();
        throw new ShannonDashError('UNAVAILABLE', `Nothing more of the recording came for ${limits.requestMs / 1_000} s; send it again`);
      }
      if (piece.done === true) return;
      yield piece.value;
    }
  } catch (cause) {
    if (cause instanceof ShannonDashError) throw cause;
    throw new ShannonDashError('UNAVAILABLE', 'The connection was cut before the recording was whole', undefined, { cause });
  } finally {
    // It would wait for the piece that does not come.
    if (!isSilent) await pieces.return?.();
  }
}

/** Undefined where it takes longer than a request may. */
async function inTime<Result>(coming: Promise<Result>): Promise<Result | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), limits.requestMs);
  return Promise.race([coming, late.promise]).finally(() => clearTimeout(timer));
}
