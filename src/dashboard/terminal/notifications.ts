import type { SessionState } from '../../core/protocol/session-state.ts';
import { openDecisions } from '../../view/decision-prompt.ts';
import { shown } from '../../view/text/shown-text.ts';

const rememberedDecisions = 10_000;

/** Calls a person once per pending decision: a notification (OSC 9) and, where wanted, the bell. */
export class Attention {
  private readonly called = new Set<string>();
  private readonly write: (sequence: string) => void;
  private readonly withBell: boolean;

  constructor(write: (sequence: string) => void, withBell: boolean) {
    this.write = write;
    this.withBell = withBell;
  }

  look(states: Iterable<SessionState>): void {
    const fresh: string[] = [];
    for (const state of states) {
      for (const decision of openDecisions(state)) {
        const name = `${state.session_id} ${decision.decision_id}`;
        if (this.called.has(name)) continue;
        if (this.called.size >= rememberedDecisions) this.called.clear();
        this.called.add(name);
        fresh.push(`${state.session_id}: ${shown(decision.question, 100)}`);
      }
    }
    const [first] = fresh;
    if (first === undefined) return;
    const more = fresh.length === 1 ? '' : ` (and ${fresh.length - 1} more)`;
    // Ended by ST, not BEL: a terminal that does not know OSC 9 must not ring.
    this.write(`\x1b]9;shannon-dash: decision pending in ${first}${more}\x1b\\${this.withBell ? '\x07' : ''}`);
  }
}

/** The sequence that puts a clean text into the clipboard (OSC 52). */
export function clipboardSequence(text: string): string {
  return `\x1b]52;c;${Buffer.from(text, 'utf8').toString('base64')}\x1b\\`;
}

const takingTerminals = /^(?:alacritty|foot|xterm-(?:kitty|ghostty)|contour|wezterm|rio)/;
const takingPrograms = new Set(['iTerm.app', 'WezTerm', 'ghostty', 'vscode', 'rio']);

/**
 * Whether a terminal is known to take that sequence. No terminal answers it, and many do nothing: those that keep the clipboard
 * from programs, and tmux and screen unless they are told otherwise.
 */
export function takesClipboard(env: NodeJS.ProcessEnv): boolean {
  if (env['TMUX'] !== undefined || env['STY'] !== undefined) return false;
  if (env['KITTY_WINDOW_ID'] !== undefined || env['WT_SESSION'] !== undefined) return true;
  return takingPrograms.has(env['TERM_PROGRAM'] ?? '') || takingTerminals.test(env['TERM'] ?? '');
}
