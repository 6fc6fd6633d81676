import { z } from 'zod';
import { deletedAnswer, loginCodeAnswer, sharedAnswer, sharesAnswer, whoamiAnswer } from './http-answers.ts';
import type { Endpoint } from './http-endpoint.ts';
import { accessLimits } from './protocol/limits.ts';

const shareRequest = z.object({
  expires_ms: z
    .int('must be a whole number of milliseconds')
    .min(60_000, 'must be at least a minute')
    .max(accessLimits.shareMs, 'must be at most 30 days')
    .default(24 * 60 * 60_000),
});

const noSession = 'No such session';

/** What browsers ask beside what all clients do: how to log in, and who they are. */
export const browserApi = {
  loginCode: {
    method: 'POST',
    path: '/api/login-codes',
    summary: 'A link that logs a browser in as the caller: it works once, within a minute',
    verb: null,
    needsCaller: true,
    answer: loginCodeAnswer,
    statuses: { 201: 'The link; a path where the server does not know its public URL', 401: 'A token is needed' },
  },
  whoami: {
    method: 'GET',
    path: '/api/whoami',
    summary: 'Who the caller is, and what it may do',
    verb: null,
    needsCaller: true,
    answer: whoamiAnswer,
    statuses: { 200: 'The name, the role and the sessions of the caller', 401: 'A token is needed' },
  },
  share: {
    method: 'POST',
    path: '/api/sessions/{id}/shares',
    summary: 'A link by which one browser watches this session, and no other, until it expires or is revoked',
    verb: 'share',
    body: shareRequest,
    answer: sharedAnswer,
    statuses: { 201: 'The link, told this once; a path where the server does not know its public URL', 404: noSession },
  },
  shares: {
    method: 'GET',
    path: '/api/sessions/{id}/shares',
    summary: 'The links to this session that are good now',
    verb: 'share',
    answer: sharesAnswer,
    statuses: { 200: 'The links, without what opens them', 404: noSession },
  },
  revokeShare: {
    method: 'DELETE',
    path: '/api/sessions/{id}/shares/{share}',
    summary: 'Revoke a link, and end what it has let in',
    verb: 'share',
    answer: deletedAnswer,
    statuses: { 200: 'Revoked', 404: 'No such session, or no such link' },
  },
} as const satisfies Record<string, Endpoint>;
