import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { installDebianPackages } from './debian-packages.ts';
import type { Json } from './start-server.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

function onPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path));
}

/** A Chromium, installed from the system's packages where there is none and that can be done; else why there is none. */
export async function findChromium(): Promise<{ path: string } | { missing: string }> {
  const path = onPath();
  if (path !== undefined) return { path };
  const failure = await installDebianPackages('chromium');
  if (failure !== undefined) return { missing: `no Chromium, and ${failure}` };
  const installed = onPath();
  return installed === undefined ? { missing: 'apt-get installed no Chromium' } : { path: installed };
}

/** Takes what is to be done at the end: of a test, or of a file of tests. */
type AtEnd = (end: () => Promise<void>) => void;

/** Starts a Chromium of its own, which ends with the test. @param hosts names that lead to 127.0.0.1 */
function startChromium(path: string, hosts: readonly string[], args: readonly string[], atEnd: AtEnd = onTestFinished): ChildProcess {
  const profile = mkdtempSync(join(tmpdir(), 'shannon-dash-chromium-'));
  const child = spawn(
    path,
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      `--user-data-dir=${profile}`,
      `--host-resolver-rules=${hosts.map((host) => `MAP ${host} 127.0.0.1`).join(', ')}`,
      ...args,
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true },
  );
  atEnd(async () => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    // Its helpers are in its process group, and write into the profile to the end.
    if (child.pid !== undefined && ended !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  return child;
}

/** Opens a page in a Chromium of its own until the test ends. @param hosts names that lead to 127.0.0.1 */
export function openInChromium(path: string, url: string, hosts: readonly string[]): void {
  startChromium(path, hosts, [url]);
}

/** Keys that write nothing, with the numbers that Chromium knows them by. */
const namedKeys: ReadonlyMap<string, number> = new Map([
  ['Enter', 13],
  ['Escape', 27],
]);

/** A page in a Chromium of its own, looked into by the DevTools protocol. */
export class ChromiumPage {
  readonly #commands: Writable;
  readonly #answers = new Map<number, (answer: { result?: Json; error?: { message: string } }) => void>();
  #session: unknown;
  #sent = 0;

  private constructor(child: ChildProcess) {
    const [, , , commands, answers] = child.stdio;
    this.#commands = commands as Writable;
    this.#commands.on('error', () => undefined);
    let rest = '';
    (answers as Readable).setEncoding('utf8').on('data', (piece: string) => {
      const messages = (rest + piece).split('\0');
      rest = messages.pop() ?? '';
      for (const message of messages) {
        const { id, ...answer } = JSON.parse(message) as { id?: number };
        if (id !== undefined) this.#answers.get(id)?.(answer);
      }
    });
  }

  /** @param hosts names that lead to 127.0.0.1. @param atEnd by default it ends with the test */
  static async open(path: string, hosts: readonly string[] = [], atEnd?: AtEnd): Promise<ChromiumPage> {
    const page = new ChromiumPage(startChromium(path, hosts, ['--remote-debugging-pipe'], atEnd));
    const { targetId } = await page.#ask('Target.createTarget', { url: 'about:blank' });
    ({ sessionId: page.#session } = await page.#ask('Target.attachToTarget', { targetId, flatten: true }));
    return page;
  }

  /** Looks at it in these colours, and in a window of this size; without one, in its own. */
  async look(scheme: 'light' | 'dark', size?: { width: number; height: number }): Promise<void> {
    await this.#ask('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
    if (size === undefined) await this.#ask('Emulation.clearDeviceMetricsOverride', {});
    else await this.#ask('Emulation.setDeviceMetricsOverride', { ...size, deviceScaleFactor: 1, mobile: false });
  }

  /** What is wrong with the manifest of the page, and why the browser would not install it. */
  async installProblems(): Promise<unknown[]> {
    const { errors } = await this.#ask('Page.getAppManifest', {});
    const { installabilityErrors } = await this.#ask('Page.getInstallabilityErrors', {});
    return [errors, installabilityErrors].flat();
  }

  /** Runs a script in each document before its own ones. */
  async before(source: string): Promise<void> {
    await this.#ask('Page.enable', {});
    await this.#ask('Page.addScriptToEvaluateOnNewDocument', { source });
  }

  /** Presses a key, as a person does. */
  async press(key: string): Promise<void> {
    const code = namedKeys.get(key);
    const event = code === undefined ? { key, text: key } : { key, windowsVirtualKeyCode: code, text: key === 'Enter' ? '\r' : undefined };
    await this.#ask('Input.dispatchKeyEvent', { type: 'keyDown', ...event });
    await this.#ask('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
  }

  /** Goes to a URL, as somebody does who types it in. */
  async goTo(url: string): Promise<void> {
    // From another page, so that a URL that differs in its fragment only is loaded too.
    await this.#ask('Page.navigate', { url: 'about:blank' });
    await this.#ask('Page.navigate', { url });
  }

  /** The value of an expression in the page, or of its promise. */
  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.#ask('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    return (result as Json | undefined)?.['value'];
  }

  #ask(method: string, params: Json): Promise<Json> {
    const id = ++this.#sent;
    this.#commands.write(
      `${JSON.stringify({ id, method, params, ...(this.#session === undefined ? {} : { sessionId: this.#session }) })}\0`,
    );
    return new Promise((resolve, reject) => {
      this.#answers.set(id, ({ result = {}, error }) => {
        this.#answers.delete(id);
        if (error === undefined) resolve(result);
        else reject(new Error(`${method}: ${error.message}`));
      });
    });
  }
}
