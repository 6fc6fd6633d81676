import { z } from 'zod';
import type { Endpoint } from './http-endpoint.ts';
import { sessionId } from './ids.ts';
import { openObject } from './json/open-object.ts';
import { recordingHeader } from './recording/recording.ts';

/** The type of an answer that is a SQLite file. */
export const sqliteType = 'application/vnd.sqlite3';

/** The type of recordings. */
export const recordingType = 'application/x-ndjson';

/** What is asked of the journal as a whole, and recordings, which are brought to it. */
export const journalApi = {
  import: {
    method: 'POST',
    path: '/api/recordings',
    summary:
      'Import recordings: of each its header, then its events, a line each. A session is there once it is whole, and takes no events',
    verb: 'import',
    query: z.object({
      /** The session gets this name in the place of its own; for one recording. */
      as: sessionId.optional(),
      /** `skip`: sessions that exist already are left out. */
      existing: z.enum(['refuse', 'skip'], 'must be refuse or skip').default('refuse'),
    }),
    body: recordingHeader,
    bodyLines: [recordingType],
    verbChecksBody: true,
    answer: openObject({
      imported: z.array(openObject({ session_id: sessionId, epoch: z.string(), seq: z.number() })),
      skipped: z.array(sessionId),
    }),
    statuses: { 200: 'What is there now', 400: 'A line is wrong: its number is told', 409: 'It exists already' },
  },
  backup: {
    method: 'GET',
    path: '/api/journal/backup',
    summary: 'The whole journal at one moment, as a file that a server can be started with. It holds the secret that signs links too',
    verb: 'backup',
    answerTexts: [sqliteType],
    statuses: { 200: 'The file', 409: 'A backup is being written already', 415: 'The journal is in memory' },
  },
} as const satisfies Record<string, Endpoint>;
