import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, onTestFinished } from 'vitest';

/** The program that is tested, and its Node: what is built here, unless the environment names another. */
export const nodePath = process.env['SHANNON_DASH_NODE'] ?? process.execPath;
export const bin = process.env['SHANNON_DASH_BIN'] ?? fileURLToPath(new URL('../../bin/shannon-dash.js', import.meta.url));

/** Where the program keeps its code compiled, for all places: starting without is a quarter slower. */
const cacheFolder = fileURLToPath(new URL('../../node_modules/.cache/tests', import.meta.url));

/** A folder with nothing of the machine's user in it: home, state, configuration and work at once. */
export interface Place {
  folder: string;
  env: NodeJS.ProcessEnv;
  /** The program's one file, which is started in the place of Node with the built files. */
  oneFile?: string;
}

/** Says what is to be done at the end: of the test, where nothing else is said. */
type AtEnd = (end: () => void | Promise<void>) => void;

/** Makes a place that goes when the test ends. */
export function newPlace(env: NodeJS.ProcessEnv = {}, atEnd: AtEnd = onTestFinished): Place {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-cli-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const { PATH } = process.env;
  return {
    folder,
    env: {
      PATH,
      HOME: folder,
      XDG_STATE_HOME: join(folder, 'state'),
      XDG_CONFIG_HOME: join(folder, 'config'),
      XDG_CACHE_HOME: cacheFolder,
      TZ: 'UTC',
      ...env,
    },
  };
}

/** How a program ended. */
export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** The real program in a process of its own. */
export class StartedProgram {
  readonly child: ChildProcess;
  readonly ended: Promise<End>;
  stdout = '';
  stderr = '';
  #look: (() => void)[] = [];

  constructor(args: readonly string[], { folder, env, oneFile }: Place, atEnd: AtEnd = onTestFinished) {
    const command: [string, string[]] = oneFile === undefined ? [nodePath, [bin, ...args]] : [oneFile, [...args]];
    this.child = spawn(...command, { cwd: folder, env });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#heard(() => (this.stdout += text)));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#heard(() => (this.stderr += text)));
    this.ended = new Promise((resolve) =>
      this.child.once('close', (code, signal) => resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })),
    );
    atEnd(async () => {
      this.child.kill('SIGKILL');
      await this.ended;
    });
  }

  /** Resolves as soon as its output is as wanted; fails if it ends without. */
  async until(isWanted: (output: this) => boolean): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      const look = () => isWanted(this) && resolve();
      this.#look.push(look);
      look();
    });
    const failed = this.ended.then(({ code, stdout, stderr }) => {
      if (!isWanted(this)) throw new Error(`it ended with ${code} first\n${stdout}\n${stderr}`);
    });
    await Promise.race([seen, failed]);
  }

  #heard(take: () => void): void {
    take();
    for (const look of this.#look) look();
  }
}

/** Runs the program to its end. */
export function runProgram(args: readonly string[], place: Place, stdin = ''): Promise<End> {
  const program = new StartedProgram(args, place);
  program.child.stdin?.on('error', () => undefined).end(stdin);
  return program.ended;
}

/** The program's own server on a free port, and a place whose environment points to it. */
export interface ServedPlace extends Place {
  url: string;
  server: StartedProgram;
  /** Runs the program to its end there. */
  run: (...args: string[]) => Promise<End>;
  /** Starts the program there. */
  start: (...args: string[]) => StartedProgram;
}

/** Starts `serve` and waits until it listens. */
export function serve(...args: string[]): Promise<ServedPlace> {
  return serveUntil(onTestFinished, args);
}

/** One server for all tests of a file or of a `describe`, each of which has sessions of its own there. */
export function serveForAll(...args: string[]): () => ServedPlace {
  let served: ServedPlace | undefined;
  beforeAll(async () => {
    const ends: Parameters<AtEnd>[0][] = [];
    const endAll = async () => {
      for (const end of ends.toReversed()) await end();
    };
    try {
      served = await serveUntil((end) => void ends.push(end), args);
    } catch (error) {
      await endAll();
      throw error;
    }
    return endAll;
  });
  return () => {
    if (served === undefined) throw new Error('the server is there from beforeAll on');
    return served;
  };
}

async function serveUntil(atEnd: AtEnd, args: readonly string[]): Promise<ServedPlace> {
  const place = newPlace({}, atEnd);
  const server = new StartedProgram(['serve', '--port', '0', '--json', ...args], place, atEnd);
  await server.until(({ stdout }) => stdout.includes('\n'));
  const { url } = JSON.parse(server.stdout) as { url: string };
  const served = { ...place, env: { ...place.env, SHANNON_DASH_URL: url } };
  return {
    ...served,
    url,
    server,
    run: (...given) => runProgram(given, served),
    start: (...given) => new StartedProgram(given, served),
  };
}
