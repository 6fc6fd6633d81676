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
