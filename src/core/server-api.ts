import { z } from 'zod';
import { healthAnswer, livenessAnswer, readinessAnswer, statsAnswer } from './http-answers.ts';
import type { Endpoint } from './http-endpoint.ts';

const told = z.string('must be a text');

/** How a server is, for people, probes and Prometheus. */
export const serverApi = {
  health: {
    method: 'GET',
    path: '/health',
    summary: 'Whether the server is well',
    verb: 'health',
    query: z.object({ challenge: told.regex(/^[\w-]{16,128}$/, 'must be 16 to 128 of A-Z a-z 0-9 _ -').optional() }),
    answer: healthAnswer,
    statuses: { 200: 'It is', 503: 'Nothing can be journalled now: `status` is `degraded`, and `reason` says why' },
  },
  live: {
    method: 'GET',
    path: '/health/live',
    summary: 'For probes: whether the process answers. One that does not is to be started again',
    verb: 'health',
    answer: livenessAnswer,
    statuses: { 200: 'It does' },
  },
  ready: {
    method: 'GET',
    path: '/health/ready',
    summary: 'For probes: whether the server takes what is published',
    verb: 'health',
    answer: readinessAnswer,
    statuses: { 200: 'It does', 503: 'Nothing can be journalled now; `/health` says why' },
  },
  stats: {
    method: 'GET',
    path: '/api/stats',
    summary: 'Figures of the server',
    verb: 'stats',
    answer: statsAnswer,
    statuses: { 200: 'Connections, watchers, rates, journal' },
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Figures for Prometheus',
    verb: 'metrics',
    answerTexts: ['text/plain'],
    statuses: { 200: 'Text exposition format' },
  },
} as const satisfies Record<string, Endpoint>;
