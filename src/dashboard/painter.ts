import { Chalk, type ChalkInstance, type ColorSupportLevel } from 'chalk';
import type { Row, Tone } from './view/row.ts';

/** Turns a row into the text that the terminal gets. */
export type Painter = (row: Row) => string;

/**
 * Of the sixteen colours, those that stand out on dark and on light grounds alike: no yellow, no white, no blue, and
 * the plain foreground for whatever must be read. Words carry the meaning, colour only repeats it.
 */
export function painter(colorLevel: ColorSupportLevel): Painter {
  // Reversing and bold are no colours: they stay with NO_COLOR, where the selection would be lost without them.
  const chalk = new Chalk({ level: colorLevel });
  const always = new Chalk({ level: 1 });
  const tones: Record<Tone, ChalkInstance | undefined> = {
    plain: undefined,
    dim: always.dim,
    strong: always.bold,
    good: chalk.green,
    bad: chalk.red,
    warn: chalk.magenta,
    active: chalk.cyan,
  };
  return ({ spans, reversed }) => {
    const painted = spans
      .map(({ text, tone, reversed: isReversed }) => {
        if (isReversed === true && reversed !== true) return always.inverse(text);
        const style = reversed === true ? undefined : tones[tone ?? 'plain'];
        return style === undefined ? text : style(text);
      })
      .join('');
    return reversed === true ? always.inverse(painted) : painted;
  };
}
