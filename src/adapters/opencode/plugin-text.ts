import { hookMarginMs } from '../adapter.ts';
import { hookHeaders } from '../hook-headers.ts';
import { opencodeAdapter } from './opencode-adapter.ts';

/** Where the plugin finds the server, and what it does where it does not. */
export interface PluginChoice {
  /** The URL that events are posted to. */
  url: string;
  /** Tool calls that the server could not be asked about do not happen. */
  isStrict: boolean;
}

/** A request without an answer waits no longer than this for the server, in milliseconds. */
const relayMarginMs = 5_000;

/**
 * The text of the plugin that OpenCode loads: one file that needs nothing else. It tells the server what happens, in the form that
 * parse-signal.ts reads, and does what the server answers. A server that does not answer changes nothing, unless it is strict.
 */
export function openCodePlugin({ url, isStrict }: PluginChoice): string {
  const timeouts = Object.fromEntries(
    Object.entries(opencodeAdapter.events).map(([event, { holdMs }]) => [event, holdMs + hookMarginMs - relayMarginMs]),
  );
  return `const url = ${JSON.stringify(url)};
const isStrict = ${isStrict};
const timeouts = ${JSON.stringify(timeouts)};
const header = (name, value) => (value ? { [name]: value } : {});
const headers = {
  'content-type': 'application/json',
  ...header('authorization', process.env.SHANNON_DASH_TOKEN && 'Bearer ' + process.env.SHANNON_DASH_TOKEN),
  ...header(${JSON.stringify(hookHeaders.session)}, process.env.SHANNON_DASH_SESSION),
  ...header(${JSON.stringify(hookHeaders.run)}, process.env.SHANNON_DASH_RUN),
  ...header(${JSON.stringify(hookHeaders.pid)}, String(process.pid)),
};
const longest = 20_000;
const cut = (key, value) => (typeof value === 'string' && value.length > longest ? value.slice(0, longest) : value);

/** What the server answers; \`isLost\` when it cannot be reached, refuses, or takes too long. */
async function tell(event, fields, stop) {
  const signals = [AbortSignal.timeout(timeouts[event]), ...(stop ? [stop] : [])];
  try {
    const body = JSON.stringify({ event, ...fields }, cut);
    const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.any(signals) });
    const told = answer.ok ? await answer.json() : null;
    return typeof told === 'object' && told !== null ? told : { isLost: true };
  } catch {
    return { isLost: true };
  }
}

/** A map that forgets what it was told first. */
class Recent extends Map {
  set(key, value) {
    if (this.size >= 1000) this.delete(this.keys().next().value);
    return super.set(key, value);
  }
}

export const ShannonDash = async ({ client, directory }) => {
  const parents = new Recent(), said = new Recent(), told = new Recent(), open = new Recent();

  /** The session that a person sees, and below it the sub-agent, which is a session of its own to OpenCode. */
  async function place(id) {
    let root = id;
    for (let depth = 0; depth < 10; depth += 1) {
      if (!parents.has(root)) {
        const { data } = await client.session.get({ path: { id: root } }).catch(() => ({}));
        parents.set(root, data?.parentID ?? null);
      }
      const parent = parents.get(root);
      if (!parent) break;
      root = parent;
    }
    return { session: root, agent: root === id ? null : id, directory };
  }

  /** Holds a request to a person until the server answers or the person at the terminal does. */
  async function ask(event, request, reply) {
    const stop = new AbortController();
    open.set(request.id, stop);
    const at = await place(request.sessionID);
    const answer = await tell(event, { ...at, callID: request.tool?.callID ?? null, request }, stop.signal);
    open.delete(request.id);
    if (!stop.signal.aborted) await reply(answer);
  }

  const on = {
    'session.created': async ({ info }) => {
      parents.set(info.id, info.parentID ?? null);
      const event = info.parentID ? 'agent.started' : 'session.created';
      await tell(event, { ...(await place(info.id)), title: info.title, role: info.agent ?? null });
    },
    'message.updated': async ({ info }) => {
      if (info.role !== 'assistant' || !info.time.completed || told.has(info.id)) return;
      told.set(info.id, true);
      await tell('message.completed', { ...(await place(info.sessionID)), message: info.id, model: info.modelID, tokens: info.tokens, cost: info.cost });
    },
    'message.part.updated': async ({ part }) => {
      if (part.type === 'text' && part.time?.end && part.text) said.set(part.sessionID, part.text);
      if (part.type !== 'tool' || part.state.status !== 'error' || told.has(part.callID)) return;
      told.set(part.callID, true);
      const { input, error, time } = part.state;
      await tell('tool.failed', { ...(await place(part.sessionID)), tool: part.tool, callID: part.callID, args: input, error, time });
    },
    'session.idle': async ({ sessionID }) => {
      const at = await place(sessionID);
      await tell(at.agent ? 'agent.idle' : 'session.idle', { ...at, text: said.get(sessionID) ?? null });
      said.delete(sessionID);
    },
    'session.error': async ({ sessionID, error }) => {
      if (sessionID) await tell('session.error', { ...(await place(sessionID)), error: error?.data?.message ?? error?.name ?? 'unknown' });
    },
    'session.compacted': async ({ sessionID }) => void (await tell('session.compacted', await place(sessionID))),
    'permission.asked': (request) =>
      ask('permission.asked', request, async ({ permission }) => {
        if (permission?.reply === 'reject' && request.tool) told.set(request.tool.callID, true);
        if (permission) await client._client.post({ url: '/permission/{requestID}/reply', path: { requestID: request.id }, body: permission, headers: { 'content-type': 'application/json' } });
      }),
    'question.asked': (request) =>
      ask('question.asked', request, async ({ answers, reject }) => {
        const path = { requestID: request.id };
        if (answers) await client._client.post({ url: '/question/{requestID}/reply', path, body: { answers }, headers: { 'content-type': 'application/json' } });
        else if (reject) await client._client.post({ url: '/question/{requestID}/reject', path });
      }),
    'permission.replied': ({ requestID }) => open.get(requestID)?.abort(),
    'question.replied': ({ requestID }) => open.get(requestID)?.abort(),
    'question.rejected': ({ requestID }) => open.get(requestID)?.abort(),
  };

  return {
    // Nothing that happens waits for its being told.
    event: async ({ event }) => void Promise.resolve(on[event.type]?.(event.properties)).catch(() => undefined),
    'chat.message': async ({ sessionID, messageID }, { message, parts }) => {
      const text = parts.filter((part) => part.type === 'text' && !part.synthetic).map((part) => part.text).join('\\n');
      const model = message.model?.modelID ?? null;
      const { context, refuse } = await tell('chat.message', { ...(await place(sessionID)), text, model });
      if (refuse) throw new Error(refuse);
      const last = parts.at(-1);
      if (context && last) parts.push({ type: 'text', text: context, synthetic: true, sessionID, messageID: message.id, id: last.id + '0' });
    },
    'tool.execute.before': async ({ tool, sessionID, callID }, { args }) => {
      const { deny, isLost } = await tell('tool.execute.before', { ...(await place(sessionID)), tool, callID, args });
      // What the server has denied, it need not be told.
      if (deny || (isLost && isStrict)) told.set(callID, true);
      if (deny) throw new Error(deny);
      if (isLost && isStrict) throw new Error('shannon-dash does not answer, and its hooks are strict: this call was not made');
    },
    'tool.execute.after': async ({ tool, sessionID, callID, args }, result) => {
      const { title, output, metadata } = result;
      const { context } = await tell('tool.execute.after', { ...(await place(sessionID)), tool, callID, args, title, output, metadata });
      if (context) result.output += '\\n\\n' + context;
    },
  };
};
`;
}
