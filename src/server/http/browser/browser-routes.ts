import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { sessionId } from '../../../core/ids.ts';
import { parse } from '../../../core/json/parse.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { boundedText } from '../../../core/text/text.ts';
import { callerOf } from '../../access/guarded-server.ts';
import { principalOf, type RouteParts } from '../route-parts.ts';
import { addRoute } from '../route.ts';
import { homePage, loginPage, type Page } from './browser-pages.ts';

const loginRequest = z.object({ code: boundedText(100).min(1, 'must not be empty') });
const homeQuery = z.object({ session: sessionId.optional() });
const bodyLimit = 1_024;

/** What a person meets with a browser: a link that logs in, a page that says who one is, and the way out. */
export function addBrowserRoutes(app: FastifyInstance, { logins, publicUrl }: RouteParts): void {
  addRoute(app, 'loginCode', ({ request, reply }) => {
    const { code, expiresAt } = logins.makeCode(principalOf(request));
    const path = `/login#${code}`;
    reply.code(201).header('cache-control', 'no-store');
    return { login_url: publicUrl === undefined ? path : new URL(path, publicUrl).href, expires_at: expiresAt.toISOString() };
  });
  app.get('/', (request, reply) => {
    const { session } = parse(homeQuery, request.query);
    const isKnown = callerOf(request.raw).kind !== 'unknown';
    const principal = isKnown ? principalOf(request, 'the user who runs this server') : undefined;
    const isLoggedIn = principal !== undefined && principal === logins.principalIn(request.raw);
    return sendPage(reply.code(isKnown ? 200 : 401), homePage(principal, { isLoggedIn, session }));
  });
  app.get('/login', (request, reply) => {
    const site = request.headers['sec-fetch-site'];
    // Whoever has a token could else send somebody a link that logs that person in as another one.
    if (site === 'cross-site' || site === 'same-site') {
      throw new ShannonDashError('FORBIDDEN', 'A page of another site may not log you in; copy the link to the address bar');
    }
    return sendPage(reply, loginPage);
  });
  app.post('/login', { bodyLimit }, (request, reply) => {
    const cookie = logins.login(request.raw, parse(loginRequest, request.body).code);
    return reply.headers({ 'set-cookie': cookie, 'cache-control': 'no-store' }).send({ success: true });
  });
  void app.register((forms, _options, done) => {
    // The button is a form without fields: the page has no script.
    forms.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'buffer', bodyLimit }, (_request, _body, read) =>
      read(null),
    );
    forms.post('/logout', { bodyLimit }, (request, reply) => {
      const cookie = logins.logout(request.raw, reply.raw);
      return reply.headers({ 'set-cookie': cookie, 'cache-control': 'no-store' }).redirect('/', 303);
    });
    done();
  });
}

/** What only pages need: no window of another site holds on to one, and no other site is told of its URL. */
const pageHeaders = { 'cache-control': 'no-store', 'cross-origin-opener-policy': 'same-origin', 'referrer-policy': 'same-origin' };

function sendPage(reply: FastifyReply, { html, csp }: Page): FastifyReply {
  return reply
    .headers({ ...pageHeaders, 'content-security-policy': csp })
    .type('text/html; charset=utf-8')
    .send(html);
}
