import { closeSync, openSync } from 'node:fs';

/** Descriptors that a run needs at its widest: pipes, sockets, watches, and what Node opens while it starts a program. */
const neededDescriptors = 40;

/** How many descriptors this process could open of those that a run needs; undefined where that is all of them. */
export function tooFewDescriptors(): { free: number; needed: number } | undefined {
  const opened: number[] = [];
  try {
    while (opened.length < neededDescriptors) opened.push(openSync('/dev/null', 'r'));
    return undefined;
  } catch {
    return { free: opened.length, needed: neededDescriptors };
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}
