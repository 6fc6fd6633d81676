import { closeSync, openSync } from 'node:fs';

/** The most file descriptors that a run needs: pipes, sockets, file watches, and those that Node opens while it starts a program. */
const neededDescriptors = 40;

/** How many of the file descriptors that a run needs this process can open. Undefined when it can open them all. */
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
