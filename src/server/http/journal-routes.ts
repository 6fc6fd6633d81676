import { rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { sqliteType } from '../../core/journal-api.ts';
import { principalOf, type RouteParts } from './route-parts.ts';
import { addRoute } from './route.ts';

/** `/api/journal/*`: the journal as a whole. */
export function addJournalRoutes(app: FastifyInstance, parts: RouteParts): void {
  addRoute(app, 'backup', async ({ request, reply }) => {
    const { path, close } = await parts.as(principalOf(request)).backup();
    if (reply.raw.closed) close();
    else reply.raw.once('close', close);
    const file = await open(path).finally(() => {
      // It goes with the last who has it open, however this ends.
      rmSync(path, { force: true });
    });
    const { size } = await file.stat();
    return reply.type(sqliteType).header('content-length', size).send(file.createReadStream());
  });
}
