import { fileURLToPath } from 'node:url';
import { spawn, type IPty } from '@lydell/node-pty';
import headless from '@xterm/headless';

/** The built program; another build of it can be named, for work on one while another is being made. */
export const programPath = process.env['SHANNON_DASH_BIN'] ?? fileURLToPath(new URL('../../bin/shannon-dash.js', import.meta.url));

/** Generous: the machine may be busy with other tests. */
const deadlineMs = 30_000;

export interface ProgramOptions {
  columns?: number;
  rows?: number;
  environment?: Record<string, string>;
  /** Runs this instead, with the program's path and arguments after it, as an interactive shell would. */
  command?: [string, ...string[]];
}

/** The real program in a real pseudo-terminal, with a terminal emulator that holds its screen. */
export class WatchedProgram {
  readonly pty: IPty;
  /** Everything that was written to the terminal. */
  raw = '';
  exit: { exitCode: number; signal?: number | undefined } | undefined;
  private readonly terminal: headless.Terminal;
  private readonly listeners = new Set<() => void>();

  constructor(args: readonly string[], { columns = 120, rows = 40, environment = {}, command }: ProgramOptions = {}) {
    const [file, ...before] = command ?? [process.execPath, programPath];
    this.terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 1_000 });
    this.pty = spawn(file, [...before, ...args], {
      cols: columns,
      rows,
      name: 'xterm-256color',
      env: { ...cleanEnvironment(), TZ: 'UTC', LANG: 'C.UTF-8', ...environment },
    });
    this.pty.onData((data) => {
      this.raw += data;
      this.terminal.write(data, () => this.tell());
    });
    this.pty.onExit((exit) => {
      // The emulator takes in what was written later than it is given: it has ended only with its last words on screen.
      this.terminal.write('', () => {
        this.exit = exit;
        this.tell();
      });
    });
  }

  /** The rows on screen. */
  rows(): string[] {
    const buffer = this.terminal.buffer.active;
    return Array.from({ length: this.terminal.rows }, (_, index) => buffer.getLine(buffer.baseY + index)?.translateToString(true) ?? '');
  }

  text(): string {
    return this.rows().join('\n');
  }

  /** Whether the alternate screen is on. */
  isFullScreen(): boolean {
    return this.terminal.buffer.active.type === 'alternate';
  }

  /** Which reports of the mouse the terminal was asked for. */
  get mouse(): string {
    return this.terminal.modes.mouseTrackingMode;
  }

  /** Types keys, as bytes. */
  type(keys: string): void {
    this.pty.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.terminal.resize(columns, rows);
    this.pty.resize(columns, rows);
  }

  /** Resolves once the screen shows a text, or fulfils a condition. */
  async shows(wanted: string | RegExp | ((text: string) => boolean), withinMs = deadlineMs): Promise<string> {
    const holds = (text: string) =>
      typeof wanted === 'string' ? text.includes(wanted) : wanted instanceof RegExp ? wanted.test(text) : wanted(text);
    await this.until(
      () => holds(this.text()),
      withinMs,
      () => `the screen never showed ${String(wanted)}:\n${this.text()}`,
    );
    return this.text();
  }

  /** Resolves with the exit code. */
  async ended(withinMs = deadlineMs): Promise<number> {
    await this.until(
      () => this.exit !== undefined,
      withinMs,
      () => `the program did not end:\n${this.text()}`,
    );
    return this.exit?.exitCode ?? -1;
  }

  /** Resolves once a condition holds on a whole frame: what comes between the marks of an update, no user sees either. */
  async until(condition: () => boolean, withinMs: number, why: () => string): Promise<void> {
    const holds = () => (this.exit !== undefined || !this.terminal.modes.synchronizedOutputMode) && condition();
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        this.listeners.delete(look);
      };
      const look = () => {
        if (!holds()) return;
        stop();
        resolve();
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(why()));
      }, withinMs);
      this.listeners.add(look);
    });
  }

  kill(): void {
    if (this.exit === undefined) this.pty.kill('SIGKILL');
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

/** The environment without what would change how the program looks or which server it asks. */
function cleanEnvironment(): Record<string, string> {
  const left = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(?:SHANNON_DASH_|NO_COLOR$|FORCE_COLOR$|CI$|NODE_ENV$|VITEST|INK_|TERM$)/.test(entry[0]),
  );
  return Object.fromEntries(left);
}
