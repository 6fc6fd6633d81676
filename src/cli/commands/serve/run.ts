import type { Invocation } from '../../invocation.ts';
import type { ServeOptions } from './definition.ts';

/** Serves from this process, or, with `--reload`, from one that is started anew with each change. */
export async function serve(invocation: Invocation<ServeOptions>): Promise<number> {
  if (invocation.options.reload === true) {
    const { serveReloading } = await import('./reloading.ts');
    return serveReloading(invocation);
  }
  const { serveHere } = await import('./serving.ts');
  return serveHere(invocation);
}
