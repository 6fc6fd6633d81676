import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { callApi } from '../../client/sessions-api.ts';
import type { AnswerOf } from '../../core/http-api.ts';
import { isLoopback } from '../../core/loopback.ts';
import { serverUrls } from '../../core/text/server-urls.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { ownCommand } from '../../executable/own-program.ts';
import { withoutInheritedDescriptors } from '../../run/program/inherited-state.ts';
import { Failure } from '../failure.ts';
import { filesOfJournal } from '../commands/serve/journal-file.ts';
import { ServerStartLock } from './server-start-lock.ts';
import type { Settings } from '../settings/settings.ts';

const answerMs = 2_000;
/** How long a server may take to start before the program goes on without it; it is found later. */
const startMs = 8_000;
/** How often a server is looked for that another run is starting at this moment. */
const lookAgainMs = 100;

type ServerStats = AnswerOf<'stats'>;

/** A server that answers, with its figures where it tells them. */
interface FoundServer {
  stats?: ServerStats;
}

const failureLine = z.object({ error: z.object({ message: z.string() }) });

/** What a server that is started says to its starter. */
export type StartMessage =
  | { port: number }
  | { problem: string }
  /** It ends: the server there has the journal. */
  | { holder: string };

/** The server at a URL of this machine: the one that answers there, or one that is started there, with this user's journal. */
export class LocalServer {
  readonly #settings: Settings;
  readonly #tell: (sentence: string) => void;
  /** The server's figures; undefined while no server has answered. */
  #stats: ServerStats | undefined;
  #isStarted = false;
  #holder: string | undefined;

  /** @param tell says a sentence to the person who called the command */
  constructor(settings: Settings, tell: (sentence: string) => void) {
    this.#settings = settings;
    this.#tell = tell;
  }

  get url(): string {
    return this.#settings.url;
  }

  /** Whether this program started the server. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** The URL of another server that has the journal, so that none could be started here. */
  get holder(): string | undefined {
    return this.#holder;
  }

  /** The server's journal, where it is known. */
  get journal(): string | undefined {
    return this.#stats?.journal.location;
  }

  /**
   * Resolves once a server answers, which is started where there is none. It is a process of its own, which serves other
   * runs and watchers too, and ends when nobody uses it any more.
   * @throws Failure no server answers, and why none could be started
   */
  async reach(): Promise<void> {
    const found = (await lookFor(this.#settings)) ?? (await this.#start());
    this.#stats ??= found.stats;
  }

  /**
   * Starts a server in the place of one that is gone, if a run started that one and it kept our journal: a server that
   * somebody started by hand is theirs to start again.
   */
  async restore(): Promise<void> {
    const isOurs = ({ ends_when_unused, journal: { location } }: ServerStats) =>
      ends_when_unused === true && location !== undefined && filesOfJournal(location)[0] === filesOfJournal(this.#settings.journal)[0];
    if (this.#stats !== undefined && isOurs(this.#stats)) await this.reach();
  }

  async #start(): Promise<FoundServer> {
    const { url } = this;
    if (!isHere(url)) {
      throw new Failure('UNREACHABLE', `cannot reach ${url}`, { hints: ['start a server there, or leave --url out: one is started here'] });
    }
    const until = performance.now() + startMs;
    let reason: string | undefined = 'it does not answer yet';
    while (performance.now() < until) {
      // Of several programs that begin at once one starts the server; the others wait for it.
      const lock = ServerStartLock.take(url);
      if (lock !== undefined) {
        reason = await startServer(url, {
          onProblem: this.#tell,
          onHolder: (holder) => (this.#holder = holder),
        }).finally(() => lock.release());
        this.#isStarted = reason === undefined;
      }
      // Another program may have started one meanwhile.
      const found = await lookFor(this.#settings);
      if (this.#isStarted || found !== undefined) return found ?? {};
      if (lock !== undefined) break;
      await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
    }
    throw new Failure('UNREACHABLE', `no server could be started at ${url}: ${reason}`, {
      hints: ['start one:  shannon-dash serve', 'or point at one: --url URL   (SHANNON_DASH_URL)'],
    });
  }
}

/** @returns why it does not serve; undefined when it does */
async function startServer(
  url: string,
  { onProblem, onHolder }: { onProblem: (sentence: string) => void; onHolder: (url: string) => void },
): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  const address = ['--host', hostname.replace(/^\[|\]$/g, ''), '--port', port || '80'];
  const [file, words] = ownCommand('serve', '--until-unused', ...address, '--json', '--quiet');
  const { SHANNON_DASH_SESSION: _session, ...env } = process.env;
  let child: ChildProcess;
  const nothing = openSync(devNull, 'r+');
  try {
    child = spawn(file, words, {
      detached: true,
      env,
      stdio: withoutInheritedDescriptors(['ignore', 'ignore', 'pipe', 'ipc'], nothing),
    });
  } catch (error) {
    return (error as Error).message;
  } finally {
    closeSync(nothing);
  }
  const said = child.stderr === null ? Promise.resolve('') : text(child.stderr).catch(() => '');
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<string | undefined>((resolve) => {
      timer = setTimeout(() => resolve('it does not answer yet'), startMs);
      child.on('message', (message: StartMessage) => {
        if ('problem' in message) onProblem(message.problem);
        else if ('holder' in message) onHolder(message.holder);
        else resolve(undefined);
      });
      child.once('error', ({ message }) => resolve(message));
      child.once('exit', (code) => void said.then((output) => resolve(reasonIn(output) ?? `it ended with ${code ?? 'a signal'}`)));
    });
  } finally {
    clearTimeout(timer);
    // From here on it has nothing of ours: neither does it keep us, nor do we keep it.
    child.stderr?.destroy();
    if (child.connected) child.disconnect();
    child.unref();
  }
}

/** The message of the error that `serve --json` ended with. */
function reasonIn(output: string): string | undefined {
  for (const line of output.split('\n').toReversed()) {
    try {
      return failureLine.parse(JSON.parse(line)).error.message;
    } catch {
      // Another line.
    }
  }
  return undefined;
}

/**
 * Looks for the server at the URL; undefined where no shannon-dash server answers.
 * @throws ShannonDashError UNAUTHENTICATED it wants a token
 */
async function lookFor({ url, token }: Settings): Promise<FoundServer | undefined> {
  try {
    return { stats: await callApi('stats', {}, { url, token, timeoutMs: answerMs }) };
  } catch (error) {
    if (!(error instanceof ShannonDashError)) return undefined;
    if (error.code === 'UNAUTHENTICATED') throw error;
    // An orchestrator may publish to a server whose figures it may not see.
    return error.code === 'FORBIDDEN' ? {} : undefined;
  }
}

/** Whether a server at this URL would be on this machine, by itself: one of several has its journal elsewhere, and is nobody's here to start. */
export function isHere(url: string): boolean {
  const [first, ...others] = serverUrls(url);
  const { hostname, protocol } = new URL(first);
  return others.length === 0 && protocol === 'http:' && isLoopback(hostname);
}
