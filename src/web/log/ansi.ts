import { coloredLine } from '../../core/text/safe-text.ts';

/** A piece of a line of output with its look: names of classes, and colours that have none. */
export interface ColoredText {
  text: string;
  classes: readonly string[];
  color?: string;
  background?: string;
}

interface Look {
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  strike: boolean;
  inverse: boolean;
  /** A class as `ansi-1`, or a colour as `rgb(1 2 3)`. */
  color: string | undefined;
  background: string | undefined;
}

const plain: Look = {
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  strike: false,
  inverse: false,
  color: undefined,
  background: undefined,
};

// oxlint-disable-next-line no-control-regex
const sequence = /\x1b\[([\d;:]*)m/g;

/** A line that a program has written, in pieces of one look each. Cleaned first: of its control sequences only colours are left. */
export function coloredTexts(line: string, maxChars = 4_000): ColoredText[] {
  const clean = coloredLine(line, maxChars);
  const pieces: ColoredText[] = [];
  let look = plain;
  let at = 0;
  for (const match of clean.matchAll(sequence)) {
    if (match.index > at) pieces.push(pieceOf(clean.slice(at, match.index), look));
    look = lookAfter(look, match[1] ?? '');
    at = match.index + match[0].length;
  }
  if (at < clean.length) pieces.push(pieceOf(clean.slice(at), look));
  return pieces;
}

function pieceOf(text: string, look: Look): ColoredText {
  const flags = (['bold', 'dim', 'italic', 'underline', 'strike', 'inverse'] as const).filter((flag) => look[flag]);
  const classes = [
    ...flags.map((flag) => `ansi-${flag}`),
    ...(look.color?.startsWith('ansi') ? [look.color] : []),
    ...(look.background?.startsWith('ansi') ? [`${look.background}-back`] : []),
  ];
  return {
    text,
    classes,
    ...(look.color?.startsWith('rgb') ? { color: look.color } : {}),
    ...(look.background?.startsWith('rgb') ? { background: look.background } : {}),
  };
}

/**
 * The look after an SGR sequence: ECMA-48, 8.3.117, with the colours that terminals have added. Their numbers stand between `;`, or
 * as parts of one parameter between `:`, as ITU-T T.416 has it.
 */
function lookAfter(before: Look, parameters: string): Look {
  let look = before;
  const codes = parameters.split(';');
  for (let at = 0; at < codes.length; at++) {
    const [code = 0, ...parts] = (codes[at] ?? '').split(':').map(Number);
    // The colour of the line below the text is 58: it is not shown, and its numbers are no looks.
    if (code === 38 || code === 48 || code === 58) {
      const { color, taken } = parts.length > 0 ? extended(withoutSpace(parts)) : extended(codes.slice(at + 1).map(Number));
      if (code !== 58) look = code === 38 ? { ...look, color } : { ...look, background: color };
      if (parts.length === 0) at += taken;
    } else if (code === 4 && parts.length > 0) look = { ...look, underline: parts[0] !== 0 };
    else if (parts.length === 0) look = lookOf(look, code);
  }
  return look;
}

/** The parts of a colour of red, green and blue without that which names their space: `2::1:2:3` is `2:1:2:3`. */
function withoutSpace(parts: readonly number[]): readonly number[] {
  return parts[0] === 2 && parts.length > 4 ? [2, ...parts.slice(2)] : parts;
}

function lookOf(look: Look, code: number): Look {
  if (code === 0) return plain;
  if (code === 1) return { ...look, bold: true };
  if (code === 2) return { ...look, dim: true };
  if (code === 3) return { ...look, italic: true };
  if (code === 4 || code === 21) return { ...look, underline: true };
  if (code === 7) return { ...look, inverse: true };
  if (code === 9) return { ...look, strike: true };
  if (code === 22) return { ...look, bold: false, dim: false };
  if (code === 23) return { ...look, italic: false };
  if (code === 24) return { ...look, underline: false };
  if (code === 27) return { ...look, inverse: false };
  if (code === 29) return { ...look, strike: false };
  if (code === 39) return { ...look, color: undefined };
  if (code === 49) return { ...look, background: undefined };
  if (code >= 30 && code <= 37) return { ...look, color: `ansi-${code - 30}` };
  if (code >= 90 && code <= 97) return { ...look, color: `ansi-${code - 82}` };
  if (code >= 40 && code <= 47) return { ...look, background: `ansi-${code - 40}` };
  if (code >= 100 && code <= 107) return { ...look, background: `ansi-${code - 92}` };
  return look;
}

/** The colour after 38 or 48, and how many parameters it takes. */
function extended([kind, a = 0, b = 0, c = 0]: readonly number[]): { color: string | undefined; taken: number } {
  if (kind === 5) return { color: a < 16 ? `ansi-${a}` : paletteColor(a), taken: 2 };
  if (kind === 2) return { color: rgb(a, b, c), taken: 4 };
  return { color: undefined, taken: 1 };
}

/** Of the 256 colours: a cube of six shades a side, then 24 greys. */
function paletteColor(number: number): string | undefined {
  if (!(number <= 255)) return undefined;
  if (number >= 232) return rgb(8 + (number - 232) * 10, 8 + (number - 232) * 10, 8 + (number - 232) * 10);
  const shade = (part: number): number => (part === 0 ? 0 : 55 + part * 40);
  const at = number - 16;
  return rgb(shade(Math.floor(at / 36)), shade(Math.floor(at / 6) % 6), shade(at % 6));
}

function rgb(...parts: [number, number, number]): string {
  return `rgb(${parts.map((part) => Math.max(0, Math.min(255, Math.round(part) || 0))).join(' ')})`;
}
