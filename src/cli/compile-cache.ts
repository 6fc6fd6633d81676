import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import envPaths from 'env-paths';

/**
 * Keeps the compiled code for the next start, in the user's own cache folder: in the shared one for temporary files, the
 * first user would keep all others out. Node itself minds NODE_COMPILE_CACHE (another place) and
 * NODE_DISABLE_COMPILE_CACHE (none), and goes on without where nothing can be written.
 */
export function keepCompiledCode(): void {
  // The home of a daemon's user often does not exist on purpose; it is not made for this.
  if (existsSync(homedir())) enableCompileCache(join(envPaths('shannon-dash', { suffix: '' }).cache, 'compiled'));
}
