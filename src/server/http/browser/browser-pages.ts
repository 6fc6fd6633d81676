import { createHash } from 'node:crypto';
import type { Principal } from '../../access/principal.ts';

/** A page of the server, and what it alone may do. */
export interface Page {
  html: string;
  csp: string;
}

const style = 'body{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;max-width:40rem;padding:0 1rem}';

/**
 * Takes the code out of the address bar and the history, sends it, and goes on. What stands behind `#` no browser sends to a server or
 * tells a page, so it is in no log.
 */
const loginScript = `
const [code, session] = location.hash.slice(1).split('/');
history.replaceState(null, '', '/login');
const say = (text) => { document.getElementById('said').textContent = text; };
fetch('/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code }) }).then(
  async (answer) => {
    if (answer.ok) location.replace(session ? '/?session=' + session : '/');
    else say((await answer.json()).error);
  },
).catch(() => say('The server does not answer.'));
`;

/** The page that a link of `shannon-dash open` leads to. */
export const loginPage: Page = {
  html: document(
    'Log in',
    `<p id="said">Logging in ...</p><noscript><p>Logging in needs JavaScript.</p></noscript><script>${loginScript}</script>`,
  ),
  csp: `${policy("'none'")}; script-src ${hashOf(loginScript)}; connect-src 'self'`,
};

/** Who the caller is. @param principal undefined: nobody whom the server knows */
export function homePage(
  principal: Principal | undefined,
  { isLoggedIn, session }: { isLoggedIn: boolean; session: string | undefined },
): Page {
  const links = [...(session === undefined ? [] : [`/api/sessions/${encodeURIComponent(session)}`]), '/api/sessions', '/api/docs'];
  const parts =
    principal === undefined
      ? ['<p>You are not logged in. Log in with: <code>shannon-dash open</code></p>']
      : [
          `<p>You are <b>${escaped(principal.by)}</b>, with the role <b>${principal.role}</b>${reachOf(principal)}.</p>`,
          `<ul>${links.map((link) => `<li><a href="${escaped(link)}">${escaped(link)}</a></li>`).join('')}</ul>`,
          ...(isLoggedIn ? ['<form method="post" action="/logout"><button>Log out</button></form>'] : []),
        ];
  return { html: document('shannon-dash', parts.join('\n')), csp: policy("'self'") };
}

function reachOf({ sessions, tenant }: Principal): string {
  const which = sessions.includes('*') ? '' : `, in the sessions ${escaped(sessions.join(', '))}`;
  return tenant === undefined ? which : `${which} of the tenant ${escaped(tenant)}`;
}

function document(title: string, body: string): string {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${style}</style>`;
  return `<!doctype html><html lang="en"><head>${head}</head><body><h1>${title}</h1>${body}</body></html>`;
}

function policy(formAction: string): string {
  return `default-src 'none'; style-src ${hashOf(style)}; base-uri 'none'; form-action ${formAction}; frame-ancestors 'none'`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
