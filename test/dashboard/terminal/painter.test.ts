import { describe, expect, test } from 'vitest';
import { painter } from '../../../src/dashboard/terminal/painter.ts';
import type { Tone } from '../../../src/view/cells.ts';

const tones: Tone[] = ['plain', 'strong', 'good', 'bad', 'warn', 'active', 'work', 'people', 'files', 'checks', 'control'];
const grounds = { white: [255, 255, 255], black: [0, 0, 0], 'Solarized light': [253, 246, 227], 'Solarized dark': [0, 43, 54] };
const painted = (level: 0 | 1 | 2 | 3, tone: Tone) => painter(level)({ spans: [{ text: 'x', tone }] });

/** A colour of the cube as red, green and blue. */
function cubeColour(number: number): number[] {
  const steps = [0, 95, 135, 175, 215, 255];
  const index = number - 16;
  return [Math.floor(index / 36), Math.floor(index / 6) % 6, index % 6].map((step) => steps[step] ?? 0);
}

/** As WCAG defines them. */
function contrast(one: readonly number[], other: readonly number[]): number {
  const luminance = (colour: readonly number[]) => {
    const [red = 0, green = 0, blue = 0] = colour.map((value) => {
      const part = value / 255;
      return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

describe('what is read stands out', () => {
  test.each([2, 3] as const)('on every ground, with %i as the level of colours', (level) => {
    for (const tone of tones) {
      const number = /\x1b\[38;5;(\d+)m/.exec(painted(level, tone))?.[1];
      expect(number === undefined, tone).toBe(tone === 'plain' || tone === 'strong');
      if (number === undefined) continue;
      for (const [ground, colour] of Object.entries(grounds))
        expect(contrast(cubeColour(Number(number)), colour), `${tone} on ${ground}`).toBeGreaterThan(3);
    }
  });

  test('of sixteen colours only red and magenta are used, without any none', () => {
    const codes = (level: 0 | 1) => new Set(tones.flatMap((tone) => /\x1b\[([39]\d)m/.exec(painted(level, tone))?.[1] ?? []));
    expect(codes(1)).toEqual(new Set(['31', '35']));
    expect(codes(0)).toEqual(new Set());
  });

  test('nothing of it is faint', () => {
    for (const level of [0, 1, 2, 3] as const) for (const tone of tones) expect(painted(level, tone)).not.toContain('\x1b[2m');
  });
});
