import { createHash } from 'node:crypto';

/** A page of the server, and what it alone may do. */
export interface Page {
  html: string;
  csp: string;
}

/** What the page of the sessions may do: run its own script, ask this server alone, and make no markup of a text. */
export const pageCsp =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const style = 'body{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;max-width:40rem;padding:0 1rem}';

/**
 * Takes the code out of the address bar and the history, sends it, and goes on. What stands behind `#` no browser sends to a server or
 * tells a page, so it is in no log.
 */
const loginScript = `
const [code, session, seq] = location.hash.slice(1).split('/');
history.replaceState(null, '', '/login');
const say = (text) => { document.getElementById('said').textContent = text; };
fetch('/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code }) }).then(
  async (answer) => {
    if (answer.ok) location.replace(session ? '/s/' + session + (seq ? '?at=' + seq : '') : '/');
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
  csp: `default-src 'none'; style-src ${hashOf(style)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src ${hashOf(loginScript)}; connect-src 'self'`,
};

function document(title: string, body: string): string {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${style}</style>`;
  return `<!doctype html><html lang="en"><head>${head}</head><body><h1>${title}</h1>${body}</body></html>`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
