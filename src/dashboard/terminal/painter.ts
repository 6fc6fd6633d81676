import { Chalk, type ChalkInstance, type ColorSupportLevel } from 'chalk';
import type { Row } from '../rows/row.ts';
import type { GroupTone, Tone } from '../../view/cells.ts';

/** Turns a row into the text that the terminal gets. */
export type Painter = (row: Row) => string;

/**
 * Colours that can be read on whatever ground: their contrast is above 3 on white, on black and on Solarized's two. They are
 * from the cube of the 256, since what a terminal makes of the sixteen is made for one ground: xterm's green and cyan have
 * a contrast of 2 on white, yellow one of 1.
 */
const onAnyGround = {
  good: 64,
  bad: 196,
  warn: 165,
  active: 31,
  work: 33,
  people: 134,
  files: 166,
  checks: 30,
  control: 100,
} as const;

/**
 * @param colorLevel how many colours: 0 none, 1 sixteen, 2 and 3 at least 256. Words carry the meaning, colour only repeats
 * it: of the sixteen, only those two are used that stand out on any ground.
 */
export function painter(colorLevel: ColorSupportLevel): Painter {
  const chalk = new Chalk({ level: colorLevel });
  // Reversing and bold are no colours: they stay with NO_COLOR, where the selection would be lost without them.
  const always = new Chalk({ level: 1 });
  const tones: Record<Tone, ChalkInstance | undefined> = {
    plain: undefined,
    // Too faint on a light ground for anything that must be read.
    line: always.dim,
    strong: always.bold,
    ...(colorLevel >= 2
      ? {
          good: chalk.ansi256(onAnyGround.good),
          bad: chalk.ansi256(onAnyGround.bad),
          warn: chalk.ansi256(onAnyGround.warn),
          active: chalk.ansi256(onAnyGround.active),
          ...groupTones((tone) => chalk.ansi256(onAnyGround[tone])),
        }
      : { good: undefined, bad: chalk.red, warn: chalk.magenta, active: always.bold, ...groupTones(() => undefined) }),
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

function groupTones(colour: (tone: GroupTone) => ChalkInstance | undefined): Record<GroupTone, ChalkInstance | undefined> {
  return { work: colour('work'), people: colour('people'), files: colour('files'), checks: colour('checks'), control: colour('control') };
}
