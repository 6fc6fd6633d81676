import type { Playback } from './playback.ts';

/** Takes the keys of a terminal for a playback. Without a terminal it takes nothing. @returns what gives the terminal back */
export function takeKeys(playback: Playback, { end, interrupt }: { end: () => void; interrupt: () => void }): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => undefined;
  const onKeys = (keys: Buffer) => {
    for (const key of keys.toString('latin1')) {
      if (key === ' ') {
        if (playback.isPaused) playback.goOn();
        else playback.pause();
      } else if (key === '+' || key === '=') playback.changeSpeed(2);
      else if (key === '-') playback.changeSpeed(1 / 2);
      else if (key === 'q') end();
      else if (key === '\u0003') interrupt();
    }
  };
  stdin.setRawMode(true);
  stdin.on('data', onKeys).resume();
  return () => {
    stdin.off('data', onKeys).pause();
    stdin.setRawMode(false);
  };
}
