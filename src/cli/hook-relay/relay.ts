import { parseArgs } from 'node:util';
import type { CodingAgent } from '../../adapters/coding-agents.ts';
import { hookHeaders } from '../../adapters/hook-headers.ts';
import { ClientToken } from '../../client/connection/client-token.ts';
import { afterMs, endpoint, exchange, type HttpAnswer } from '../../client/connection/http-exchange.ts';
import { readEnvironment } from '../../client/environment.ts';
import { isLoopback } from '../../core/loopback.ts';
import { limits } from '../../core/protocol/limits.ts';
import { safeLine } from '../../core/text/safe-text.ts';
import { readAddress, type Address } from '../completion/address.ts';
import { fieldsOf, textOf } from '../completion/fields.ts';
import { parseDurationMs } from '../../core/text/parse-duration.ts';
import { systemReason } from '../terminal/system-reason.ts';
import { replaceDeletedFolder } from '../working-folder.ts';
import { agentProcess } from './agent-process.ts';
import { joinRunningHooks, mostRunning } from './running-hooks.ts';

/** A server that is there takes a connection at once. */
const connectMs = 1_000;
/** Without `--timeout`. */
const usualAnswerMs = 25_000;
const longestAnswerChars = 1024 * 1024;

/** By this code an agent knows that a hook refuses; every other one lets it go on. */
const refusing = 2;

/** What stands behind `hook AGENT`, as `hook install` writes it. */
interface RelayFlags {
  /** Where the hook brought nothing back, the agent is refused what it asked for. */
  isStrict: boolean;
  /** Where no server answers, one is started. */
  isStarting: boolean;
  answerMs: number;
  checkpoints: string | undefined;
  given: ReadonlyMap<string, readonly string[]>;
}

/** What an agent said. */
interface Said {
  agent: CodingAgent;
  body: Uint8Array<ArrayBuffer>;
  checkpoints: string | undefined;
  late: AbortSignal;
}

/** The server has answered, and not with what was asked for. */
class Refusal extends Error {}

/**
 * `hook AGENT`: passes what an agent says by a hook from stdin to the server, and the server's answer, made for this agent, to stdout.
 * Where that fails, it says why in one line on stderr, and the agent goes on as without the hook, or, with `--strict`, is refused.
 * It is started for every tool call, so it loads no schemas and none of the commands.
 * @param args the flags behind the agent's name
 * @returns the exit code
 */
export async function relayHook(agent: CodingAgent, args: readonly string[]): Promise<number> {
  // A warning of Node is not for the agent.
  process.removeAllListeners('warning');
  process.stdout.on('error', () => undefined);
  replaceDeletedFolder();
  const flags = readFlags(args);
  try {
    if (!joinRunningHooks()) throw new Error(`${mostRunning} hooks wait for an answer already`);
    const answer = await passOn(agent, flags);
    await new Promise<void>((resolve) => process.stdout.write(`${answer}\n`, () => resolve()));
    return 0;
  } catch (error) {
    const goesOn = flags.isStrict ? 'refused, since the hook is strict' : 'it goes on without';
    process.stderr.write(`shannon-dash: ${agent} was not heard (${goesOn}): ${safeLine(systemReason(error), 500)}\n`);
    return flags.isStrict ? refusing : 0;
  }
}

/** Flags of another version count for nothing: the agent must not fail for them. */
function readFlags(args: readonly string[]): RelayFlags {
  const options = {
    strict: { type: 'boolean' },
    start: { type: 'boolean' },
    timeout: { type: 'string' },
    checkpoints: { type: 'string' },
    url: { type: 'string' },
    'token-file': { type: 'string' },
  } as const;
  const { values } = parseArgs({ args: [...args], options, strict: false });
  const text = (value: string | boolean | undefined) => (typeof value === 'string' ? value : undefined);
  // Inside a run its server counts, whatever the agent's settings say.
  const url = readEnvironment().run === undefined ? text(values.url) : undefined;
  const given = Object.entries({ url, 'token-file': text(values['token-file']) });
  return {
    isStrict: values.strict === true,
    isStarting: values.start === true,
    checkpoints: text(values.checkpoints),
    answerMs: parseDurationMs(text(values.timeout) ?? '') ?? usualAnswerMs,
    given: new Map(given.flatMap(([name, value]): [string, string[]][] => (value === undefined ? [] : [[name, [value]]]))),
  };
}

/** @returns the body of the server's answer @throws Error why there is none, as a sentence */
async function passOn(agent: CodingAgent, { answerMs, isStarting, checkpoints, given }: RelayFlags): Promise<string> {
  const late = afterMs(answerMs);
  const body = await readInput(late);
  const address = readAddress(given);
  const said = { agent, body, checkpoints, late };
  try {
    return await postToAny(address, said);
  } catch (error) {
    const isNobodyThere = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED' && address.others.length === 0;
    if (error instanceof Refusal) throw error;
    if (!isStarting || !isNobodyThere || !isLoopback(address.url.hostname)) {
      const all = [address.url, ...address.others].map(({ origin }) => origin).join(', ');
      throw new Error(`${all} does not answer: ${systemReason(error)}`, { cause: error });
    }
    const { startServer } = await import('./starting-server.ts');
    await startServer({ url: given.get('url')?.[0], tokenFile: given.get('token-file')?.[0] });
    return await postToAny(address, said);
  }
}

/** Asks the first server that takes the connection: where none was taken nothing was said yet, and the next one may be asked. */
async function postToAny(address: Address, said: Said): Promise<string> {
  const [next, ...others] = address.others;
  let isConnected = false;
  let answer: HttpAnswer;
  try {
    answer = await post(address, said, () => (isConnected = true));
  } catch (error) {
    if (next === undefined || isConnected) throw error;
    return postToAny({ ...address, url: next, others }, said);
  }
  return checked(answer, address);
}

/** The whole of stdin. @throws Error it is longer than a server takes, or its end does not come */
async function readInput(late: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  late.addEventListener('abort', () => process.stdin.destroy(new Error('stdin does not end')), { once: true });
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limits.requestBytes) throw new Error(`stdin is longer than ${limits.requestBytes} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

async function post({ url, token }: Address, { agent, body, checkpoints, late }: Said, onConnected: () => void): Promise<HttpAnswer> {
  const { session, run } = readEnvironment();
  const bearer = await new ClientToken(url.href, token).get();
  const unconnected = new AbortController();
  const timer = setTimeout(() => unconnected.abort(new Error(`no connection in ${connectMs} ms`)), connectMs);
  try {
    return await exchange(endpoint(url.href, `api/hooks/${agent}`), {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(session === undefined ? {} : { [hookHeaders.session]: session }),
        ...(run === undefined ? {} : { [hookHeaders.run]: run }),
        ...(checkpoints === undefined ? {} : { [hookHeaders.checkpoints]: checkpoints }),
        ...(isLoopback(url.hostname) ? { [hookHeaders.pid]: String(agentProcess()) } : {}),
      },
      body,
      signal: AbortSignal.any([late, unconnected.signal]),
      onConnected: () => {
        clearTimeout(timer);
        onConnected();
      },
      maxChars: longestAnswerChars,
    });
  } catch (error) {
    if (late.aborted) throw new Error('it was asked, and has not answered in time', { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** @throws Refusal it is one, or nothing that a server of ours answers */
function checked({ status, text, isTooLong }: HttpAnswer, { url }: Address): string {
  const fields = isTooLong ? undefined : fieldsOf(text);
  if (status === 200 && fields !== undefined) return text.trim();
  const said = textOf(fields, 'error');
  throw new Refusal(`${url.origin} answers with status ${status}${said === undefined ? '' : `: ${said}`}`);
}
