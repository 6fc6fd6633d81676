import { fileURLToPath } from 'node:url';

/** The shell line of a hook that passes what an agent says to a URL. */
export const postHook = (url: string): string =>
  [process.execPath, fileURLToPath(new URL('./post-hook.js', import.meta.url)), url].join(' ');
