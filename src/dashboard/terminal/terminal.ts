import type { SuspendTerminal } from 'ink';
import { supportsColor } from 'chalk';
import type { Connection } from '../../client/connection/connection.ts';
import { afterMs } from '../../client/connection/http-exchange.ts';
import type { AppProps, PaintedRegion, Window } from './app.tsx';
import type { DashboardEnding, Screenholder } from '../board.ts';
import type { DashboardSettings } from '../dashboard-settings.ts';
import { Dashboard } from '../dashboard.ts';
import { isTyping } from '../keys/typing/typing-keys.ts';
import { HeldInput } from './held-input.ts';
import { keysOf, looksPasted, type TerminalInput } from './input-parser.ts';
import { painter, type Painter } from './painter.ts';
import { streamPlainly } from './plain-stream.ts';
import type { Screen } from '../screen/screen.ts';

/** How the dashboard ended, and what to leave in the terminal. */
export interface DashboardEnd {
  ending: DashboardEnding;
  summary: string[];
}

/** Signals that end the dashboard. Without these handlers Ink would restore the screen and die unsaid. */
const endings = { SIGINT: 'interrupted', SIGTERM: 'terminated', SIGHUP: 'hung-up' } as const;

/** How long the first frame waits for the server before it shows that it waits. */
const joinFirstMs = 100;

/** Shows the dashboard on this process's terminal until it is left. */
export async function showInTerminal(connection: Connection, settings: DashboardSettings, noColor: boolean): Promise<DashboardEnd> {
  const holder = new TerminalHolder(painter(noColor || supportsColor === false ? 0 : supportsColor.level), settings.withMouse);
  const board = new Dashboard(connection, settings, holder);
  return holder.hold(board);
}

/** Holds the terminal: draws the frames with Ink, hands it over to a plain stream or to the shell, and gives it back. */
class TerminalHolder implements Screenholder {
  readonly #paint: Painter;
  readonly #input: HeldInput;
  readonly #ended = Promise.withResolvers<DashboardEnding>();
  #board: Dashboard | undefined;
  #window: Window | undefined;
  #suspendTerminal: SuspendTerminal | undefined;
  #painted: readonly PaintedRegion[] = [];
  #drawnSize = '';
  #isAway = false;
  #hasEnded = false;

  constructor(paint: Painter, withMouse: boolean) {
    this.#paint = paint;
    this.#input = new HeldInput(withMouse, (input) => this.#take(input));
  }

  async hold(board: Dashboard): Promise<DashboardEnd> {
    this.#board = board;
    // Before Ink's own listener, which draws what stands there: a frame for the former size could be taller than the window.
    const onResize = () => board.draw();
    process.stdout.prependListener('resize', onResize);
    const handlers = Object.entries(endings).map(([signal, ending]) => [signal, () => this.leave(ending)] as const);
    for (const [signal, handler] of handlers) process.on(signal, handler);
    process.on('SIGTSTP', this.#onStop);
    // Node would print the trace onto the full screen, which is gone a moment later: first the screen, then the error.
    const onCrash = (error: unknown) => this.#ended.reject(error);
    process.on('uncaughtException', onCrash);
    const { withinMs } = board.settings;
    if (withinMs !== undefined) afterMs(withinMs).addEventListener('abort', () => this.leave('timed-out'));
    try {
      const ending = await Promise.race([this.#ended.promise, this.#openWindow(board)]);
      const summary = board.summary();
      return { ending: ending ?? 'broken', summary };
    } finally {
      process.stdout.off('resize', onResize);
      for (const [signal, handler] of handlers) process.off(signal, handler);
      this.#input.release();
      await board.close();
      await this.#window?.close();
      process.off('uncaughtException', onCrash);
      process.off('SIGTSTP', this.#onStop);
    }
  }

  size(): { columns: number; rows: number } {
    return { columns: process.stdout.columns, rows: process.stdout.rows };
  }

  show(screen: Screen): void {
    const size = `${this.size().columns}x${this.size().rows}`;
    const painted = screen.regions.map((region) => this.#repainted(region));
    const isSame =
      size === this.#drawnSize &&
      painted.length === this.#painted.length &&
      painted.every((region, index) => region === this.#painted[index]);
    if (isSame) return;
    this.#painted = painted;
    this.#drawnSize = size;
    if (!this.#isAway) this.#window?.draw(this.#props());
  }

  signal(sequence: string): void {
    process.stdout.write(sequence);
  }

  stream(): void {
    const board = this.#board;
    if (board !== undefined) void this.#away(() => streamPlainly(board));
  }

  suspend(): void {
    if (this.#isAway || this.#suspendTerminal === undefined) void this.#stopped();
    else void this.#away(() => this.#stopped());
  }

  leave(ending: DashboardEnding): void {
    this.#hasEnded = true;
    this.#ended.resolve(ending);
  }

  /** Resolves when the window was closed by itself, which it is only by a fault. */
  async #openWindow(board: Dashboard): Promise<undefined> {
    // Loading Ink keeps the process from all else for a while: a server that answers at once does so before.
    await Promise.race([board.feed.joined.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, joinFirstMs))]);
    const { openWindow } = await import('./app.tsx');
    if (this.#hasEnded) return;
    await this.#input.take();
    if (this.#hasEnded) return;
    this.#window = openWindow(this.#props());
    // The first measurement, if under way, has waited for the loading too.
    board.feed.connection.ping().catch(() => undefined);
    await this.#window.closed;
  }

  /** Stops the process; resolves once it goes on. */
  async #stopped(): Promise<void> {
    const resumed = new Promise((resolve) => process.once('SIGCONT', resolve));
    process.off('SIGTSTP', this.#onStop);
    // The whole group, as the terminal does it, so that npx and the like stop too and the shell notices.
    process.kill(0, 'SIGTSTP');
    // A process that no shell waits for cannot be stopped by this signal: come back by itself.
    await Promise.race([resumed, new Promise((resolve) => setTimeout(resolve, 300))]);
    process.on('SIGTSTP', this.#onStop);
  }

  /** Hands the terminal over while something else runs on it. */
  async #away(work: () => Promise<void>): Promise<void> {
    if (this.#isAway || this.#suspendTerminal === undefined) return;
    this.#isAway = true;
    this.#input.release();
    try {
      await this.#suspendTerminal(async () => {
        await work();
        if (!this.#hasEnded) await this.#input.take();
      });
    } finally {
      this.#isAway = false;
      this.#drawnSize = '';
      this.#board?.draw();
    }
  }

  #props(): AppProps {
    return { ...this.size(), regions: this.#painted, onReady: this.#onReady, onGone: this.#input.release };
  }

  #take(input: TerminalInput): void {
    const board = this.#board;
    if (board === undefined) return;
    if (input.kind === 'mouse') board.point(input);
    else if (input.kind === 'key') board.press(input.name);
    else if (input.kind === 'paste' || (!isTyping(board) && looksPasted(input.text))) board.paste(input.text);
    else for (const name of keysOf(input.text)) board.press(name);
  }

  readonly #onStop = (): void => this.suspend();

  readonly #onReady = (suspendTerminal: SuspendTerminal): void => {
    this.#suspendTerminal = suspendTerminal;
  };

  /** The region painted, or the former one where no row differs, so that nothing of it is drawn again. */
  #repainted(region: Screen['regions'][number]): PaintedRegion {
    const rows = region.rows.map(this.#paint);
    const known = this.#painted.find((each) => each.id === region.id);
    const isSame =
      known !== undefined &&
      known.x === region.x &&
      known.y === region.y &&
      known.width === region.width &&
      known.rows.length === rows.length &&
      known.rows.every((row, index) => row === rows[index]);
    return isSame ? known : { id: region.id, x: region.x, y: region.y, width: region.width, rows };
  }
}
