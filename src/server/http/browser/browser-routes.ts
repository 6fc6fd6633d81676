import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { parse } from '../../../core/json/parse.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { boundedText } from '../../../core/text/text.ts';
import { timestampNow } from '../../../core/timestamp.ts';
import type { Principal } from '../../access/principal.ts';
import type { Shares, SharedSession } from '../../access/tokens/shares.ts';
import { principalOf, type RouteParts } from '../route-parts.ts';
import { addRoute } from '../route.ts';
import { loginPage, pageCsp } from './browser-pages.ts';
import { PageFiles } from './page-files.ts';

const loginRequest = z.object({ code: boundedText(100).min(1, 'must not be empty') });
const bodyLimit = 1_024;

/** What a person meets with a browser: the page of the sessions, a link that logs in, and the way out. */
export function addBrowserRoutes(app: FastifyInstance, parts: RouteParts): void {
  const { logins, publicUrl } = parts;
  addRoute(app, 'loginCode', ({ request, reply }) => {
    const { code, expiresAt } = logins.makeCode(principalOf(request));
    reply.code(201).header('cache-control', 'no-store');
    return { login_url: linkTo(code, publicUrl), expires_at: expiresAt.toISOString() };
  });
  addRoute(app, 'whoami', ({ request }) => {
    const principal = principalOf(request, 'the user who runs this server');
    const { by, role, canSteer, sessions, tenant = null } = principal;
    return { by, role, can_steer: canSteer, sessions: [...sessions], tenant, logged_in: principal === logins.principalIn(request.raw) };
  });
  addShareRoutes(app, parts);
  addPage(app);
  app.get('/login', (request, reply) => {
    const site = request.headers['sec-fetch-site'];
    // Whoever has a token could else send somebody a link that logs that person in as another one.
    if (site === 'cross-site' || site === 'same-site') {
      throw new ShannonDashError('FORBIDDEN', 'A page of another site may not log you in; copy the link to the address bar');
    }
    return reply
      .headers({ ...pageHeaders, 'cache-control': 'no-store', 'content-security-policy': loginPage.csp })
      .type('text/html; charset=utf-8')
      .send(loginPage.html);
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

/** What a code opens: the fragment of a URL reaches no server, no log and no page of another site. */
function linkTo(code: string, publicUrl: string | undefined): string {
  const path = `/login#${code}`;
  return publicUrl === undefined ? path : new URL(path, publicUrl).href;
}

/** Links by which a browser watches one session: make one, list them, revoke one. */
function addShareRoutes(app: FastifyInstance, { as, shares, publicUrl }: RouteParts): void {
  /** @throws ShannonDashError what the principal is refused; UNSUPPORTED */
  const placeOf = async (request: FastifyRequest, id: string): Promise<{ shares: Shares; place: SharedSession; principal: Principal }> => {
    const principal = principalOf(request);
    const access = as(principal);
    access.checkAccess('share', id);
    await access.state(id);
    if (shares === undefined) {
      throw new ShannonDashError('UNSUPPORTED', 'This server keeps its journal in memory: links stand in a file beside the journal');
    }
    return { shares, place: { sessionId: id, tenant: principal.tenant }, principal };
  };
  addRoute(app, 'share', async ({ path, body, request, reply }) => {
    const { shares: links, place, principal } = await placeOf(request, path.id);
    const { expires_ms } = body();
    const { code, share } = links.make(principal, place, expires_ms);
    reply.code(201).header('cache-control', 'no-store');
    return { ...share, share_url: `${linkTo(code, publicUrl)}/${encodeURIComponent(path.id)}` };
  });
  addRoute(app, 'shares', async ({ path, request }) => {
    const { shares: links, place } = await placeOf(request, path.id);
    const listed = links.of(place);
    return { shares: listed, total: listed.length, timestamp: timestampNow() };
  });
  addRoute(app, 'revokeShare', async ({ path, request }) => {
    const { shares: links, place } = await placeOf(request, path.id);
    links.revoke(place, path.share);
    return { success: true as const, message: `The link ${path.share} opens nothing any more` };
  });
}

/** What only pages need: no window of another site holds on to one, and no other site is told of its URL. */
const pageHeaders = { 'cross-origin-opener-policy': 'same-origin', 'referrer-policy': 'same-origin' };

/** The name of a file whose content is in its name. */
const hashed = /^[a-z-]+-[\w-]{8}\.[a-z]+$/;

/** The page of the sessions: one document, whatever its path, and files whose names change with what is in them. It says nothing that is not public. */
function addPage(app: FastifyInstance): void {
  const files = new PageFiles();
  const send = (request: FastifyRequest, reply: FastifyReply, name: string, headers: Record<string, string>): FastifyReply => {
    const file = files.find(name, request.headers['accept-encoding'] ?? '');
    if (file === undefined) throw new ShannonDashError('NOT_FOUND', 'There is no such file of the page; load the page anew');
    const { type, encoding, bytes } = file;
    return reply
      .headers({ ...headers, vary: 'accept-encoding', ...(encoding === undefined ? {} : { 'content-encoding': encoding }) })
      .type(type)
      .send(bytes);
  };
  for (const path of ['/', '/s/:id', '/analytics']) {
    app.get(path, (request, reply) =>
      send(request, reply, 'index.html', { ...pageHeaders, 'cache-control': 'no-cache', 'content-security-policy': pageCsp }),
    );
  }
  app.get<{ Params: { name: string } }>('/web/:name', (request, reply) => {
    const { name } = request.params;
    return send(request, reply, hashed.test(name) ? name : '', { 'cache-control': 'public, max-age=31536000, immutable' });
  });
}
