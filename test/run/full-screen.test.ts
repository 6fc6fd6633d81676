import { expect, test } from 'vitest';
import { FullScreen, type OutputPiece } from '../../src/run/output/full-screen.ts';
import { ScreenRecording, type ScreenPiece } from '../../src/run/output/screen-recording.ts';
import { PlayableText } from '../../src/core/text/playable-text.ts';

const text = `before\n\x1b[1mbold\x1b[0m\x1b[?1049h\x1b[2Jscreen\x1b[Hé\x1b[?1049lafter\n\x1b[?47hold\x1b[?47l.`;

function joined(pieces: readonly OutputPiece[], isFullScreen: boolean): string {
  return Buffer.concat(pieces.filter((each) => each.isFullScreen === isFullScreen).map(({ bytes }) => bytes)).toString();
}

test('what is written on the alternate screen is told from lines, wherever the output is cut', () => {
  const bytes = Buffer.from(text);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const screen = new FullScreen();
    const pieces = [...screen.split(bytes.subarray(0, cut)), ...screen.split(bytes.subarray(cut))];
    expect(joined(pieces, false)).toBe('before\n\x1b[1mbold\x1b[0mafter\n.');
    expect(joined(pieces, true)).toBe('\x1b[?1049h\x1b[2Jscreen\x1b[Hé\x1b[?1049l\x1b[?47hold\x1b[?47l');
  }
});

test('what looked like the beginning of a switch is there at the end', () => {
  const screen = new FullScreen();
  expect(joined([...screen.split(Buffer.from('end\x1b[?10')), ...screen.rest()], false)).toBe('end\x1b[?10');
  expect(screen.rest()).toEqual([]);
});

test('a recording has a bound, and says what it has let go', () => {
  const pieces: ScreenPiece[] = [];
  const recording = new ScreenRecording((piece) => pieces.push(piece));
  for (let n = 0; n < 100; n++) recording.write(Buffer.alloc(100_000, 'x'));
  recording.flush();
  const kept = pieces.reduce((sum, piece) => sum + piece.text.length, 0);
  const letGo = pieces.reduce((sum, piece) => sum + (piece.let_go_chars ?? 0), 0);
  expect(kept).toBe(4 * 1024 * 1024);
  expect(kept + letGo).toBe(10_000_000);
  for (const { text: each } of pieces) expect(each.length).toBeLessThanOrEqual(32 * 1024);
});

test('a recording that is played reaches nothing but the screen', () => {
  const reaching = '\x1b]52;c;aGk=\x07\x1b]0;title\x1b\\\x1bPq#0\x1b\\\x1b[6n\x1b[c\x1b[?u\x1b[14t\x05';
  const given = `a${reaching}\x1b[2J\x1b[1;31mb\x1b[?1049h`;
  for (let cut = 0; cut <= given.length; cut++) {
    const playable = new PlayableText();
    expect([cut, playable.next(given.slice(0, cut)) + playable.next(given.slice(cut))]).toEqual([cut, 'a\x1b[2J\x1b[1;31mb\x1b[?1049h']);
  }
});
