import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { createServer, type DashServer } from '../../src/server/create-server.ts';
import type { Block, Scene } from './fenced-blocks.ts';
import type { InstalledPackage } from '../helpers/installed-package.ts';

/** A block that runs, or has run. */
interface Started {
  block: Block;
  child: ChildProcess;
  output: string;
  ended: Promise<void>;
  /** Resolves with its first output, or with its end. */
  begun: Promise<void>;
}

/** Runs the blocks of a scene as a reader would, and checks what they print. @throws Error what a block did otherwise than the page says */
export async function runScene(scene: Scene, { address, installed }: { address: string; installed: InstalledPackage }): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'shannon-dash-scene-'));
  const running = new RunningScene(scene, { address, installed, folder });
  try {
    await running.run();
  } finally {
    await running.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

class RunningScene {
  readonly #scene: Scene;
  readonly #work: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #address: string;
  readonly #installed: InstalledPackage;
  readonly #started: Started[] = [];
  #server: DashServer | undefined;
  #onOutput: () => void = () => undefined;

  constructor(scene: Scene, { address, installed, folder }: { address: string; installed: InstalledPackage; folder: string }) {
    this.#scene = scene;
    this.#work = join(folder, 'work');
    this.#address = address;
    this.#installed = installed;
    this.#env = {
      // Debian's Python, which has Debian's packages, and not one that somebody has installed besides.
      PATH: [installed.bin, dirname(process.execPath), '/usr/bin', '/bin', process.env['PATH']].join(':'),
      HOME: folder,
      XDG_STATE_HOME: join(folder, 'state'),
      XDG_CONFIG_HOME: join(folder, 'config'),
      // What one scene has compiled, the next one need not.
      XDG_CACHE_HOME: join(dirname(installed.folder), 'cache'),
      // The recipes reach the server by its default address, which may be taken on this machine.
      SHANNON_DASH_URL: `http://${address}:8000`,
      TZ: 'UTC',
    };
  }

  async run(): Promise<void> {
    const { blocks } = this.#scene;
    await mkdir(join(this.#work, 'node_modules'), { recursive: true });
    await symlink(this.#installed.folder, join(this.#work, 'node_modules/shannon-dash'));
    await writeFile(join(this.#work, 'package.json'), '{"type": "module"}');
    if (!blocks.some(({ text }) => /^shannon-dash serve\b(?!.*--port)/.test(text))) {
      this.#server = await createServer({ projectFolder: this.#work });
      await this.#server.listen({ host: this.#address, port: 8_000 });
    }
    for (const block of blocks) await this.#take(block);
    this.#checkEnds();
  }

  /** Ends what runs beside the others, as Ctrl-C does. */
  async close(): Promise<void> {
    for (const { child } of this.#started) if (isRunning(child)) process.kill(-(child.pid ?? 0), 'SIGINT');
    const force = setTimeout(() => {
      for (const { child } of this.#started) if (isRunning(child)) process.kill(-(child.pid ?? 0), 'SIGKILL');
    }, 10_000);
    await Promise.all(this.#started.map(({ ended }) => ended));
    clearTimeout(force);
    await this.#server?.close();
  }

  async #take(block: Block): Promise<void> {
    const { language, mark, text, place } = block;
    const file = /^[\w-]+\.(?:ts|py)$/.test(mark) ? mark : undefined;
    if (file !== undefined) return writeFile(join(this.#work, file), this.#here(text));
    switch (`${language} ${mark}`.trim()) {
      case 'text':
      case 'sh setup':
        return;
      case 'text output':
        return this.#compare(block);
      case 'sh':
        return this.#toItsEnd(this.#start(block, ['bash', '-euc', this.#here(text)]));
      case 'sh beside':
        return this.#start(block, ['bash', '-euc', this.#here(text)]).begun;
      case 'ts': {
        const script = `block-${this.#started.length}.ts`;
        await writeFile(join(this.#work, script), this.#here(text));
        return this.#toItsEnd(this.#start(block, [process.execPath, script]));
      }
      default:
        throw new Error(`nothing says how to run the block at ${place}: ${language} ${mark}`);
    }
  }

  #start(block: Block, [file = '', ...args]: readonly string[]): Started {
    // A process group of its own, so that a Ctrl-C reaches all that it has started.
    const child = spawn(file, args, { cwd: this.#work, env: this.#env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const started: Started = { block, child, output: '', ended: Promise.resolve(), begun: Promise.resolve() };
    started.ended = new Promise((resolve) => child.once('close', () => resolve()));
    started.begun = new Promise((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (piece: string) => {
          started.output += piece;
          this.#onOutput();
          resolve();
        });
      }
      child.once('close', () => resolve());
    });
    this.#started.push(started);
    return started;
  }

  async #toItsEnd({ ended }: Started): Promise<void> {
    await ended;
    this.#checkEnds();
  }

  /** Whatever has ended has ended well. What ends by SIGTERM was ended by another block, as a STOP ends a run. */
  #checkEnds(): void {
    const hasFailed = ({ exitCode, signalCode }: ChildProcess) => exitCode !== 0 && signalCode !== 'SIGTERM';
    const failed = this.#started.find(({ child }) => !isRunning(child) && hasFailed(child));
    if (failed === undefined) return;
    const { block, child } = failed;
    throw new Error(`the block at ${block.place} ended with ${child.exitCode ?? child.signalCode}\n${this.#said()}`);
  }

  /** Each line that the page shows is printed sooner or later, but for names, times and numbers: what runs beside takes its time. */
  #compare({ place, text }: Block): Promise<void> {
    const wanted = text.trimEnd().split('\n').map(likeness);
    const missing = () => {
      const printed = new Set(this.#started.flatMap(({ output }) => output.split('\n').map((line) => likeness(this.#there(line)))));
      return wanted.filter((line) => !printed.has(line));
    };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`nobody printed what the page shows at ${place}:\n${missing().join('\n')}\n\n${this.#said()}`)),
        20_000,
      );
      this.#onOutput = () => {
        if (missing().length > 0) return;
        clearTimeout(timer);
        resolve();
      };
      this.#onOutput();
    });
  }

  #said(): string {
    return this.#started.map(({ block, output }) => `--- ${block.place}\n${output}`).join('\n');
  }

  #here(text: string): string {
    return text.replaceAll('127.0.0.1', this.#address);
  }

  /** A line of this machine as the page would have it. */
  #there(line: string): string {
    return line
      .replaceAll(this.#address, '127.0.0.1')
      .replaceAll(new RegExp(`\\b${userInfo().username}\\b`, 'g'), 'you')
      .replaceAll(`@${hostname()}`, '@host');
  }
}

/** A line without what differs from run to run: ids, durations, numbers, and the space that they take. */
function likeness(line: string): string {
  return line
    .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|(?<=-)[0-9a-f]{8}\b|(?<='epoch': ')[^']+/g, 'ID')
    .replaceAll(/\b(?:\d+[hm])*\d+(?:\.\d+)? ?m?s\b/g, 'TIME')
    .replaceAll(/\d+(?:\.\d+)?/g, 'N')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function isRunning({ exitCode, signalCode, pid }: ChildProcess): boolean {
  return exitCode === null && signalCode === null && pid !== undefined;
}
