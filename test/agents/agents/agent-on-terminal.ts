import { spawn, type IPty } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import type { AgentHome } from './driven-agent.ts';

/** An agent on a terminal of 100 by 30, as a person has it. */
export class AgentOnTerminal {
  readonly ended: Promise<{ exitCode: number; signal?: number | undefined }>;
  readonly #pty: IPty;
  readonly #terminal = new xterm.Terminal({ cols: 100, rows: 30, allowProposedApi: true });
  #isOver = false;

  constructor([file, ...args]: readonly [string, ...string[]], { work }: AgentHome, env: Record<string, string>) {
    this.#pty = spawn(file, args, { cols: 100, rows: 30, cwd: work, env, name: 'xterm-256color' });
    this.#pty.onData((text) => this.#terminal.write(text));
    // What an agent asks its terminal, it must be told.
    this.#terminal.onData((text) => this.#isOver || this.#pty.write(text));
    this.ended = new Promise((resolve) =>
      this.#pty.onExit((end) => {
        this.#isOver = true;
        resolve(end);
      }),
    );
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** What stands on the screen. */
  get screen(): string {
    const { active } = this.#terminal.buffer;
    const rows = Array.from({ length: 30 }, (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '');
    return rows.join('\n').trimEnd();
  }

  press(keys: string): void {
    this.#pty.write(keys);
  }

  async kill(): Promise<void> {
    if (!this.#isOver) process.kill(this.#pty.pid, 'SIGKILL');
    await this.ended;
  }
}
