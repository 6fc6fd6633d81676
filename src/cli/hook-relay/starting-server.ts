import { LocalServer } from '../server-access/local-server.ts';
import { readSettings } from '../settings/settings.ts';

/**
 * Has a server answer at a URL of this machine: one is started where there is none.
 * @param options the flags that say where, as commander names them
 * @throws Failure why none answers
 */
export async function startServer(options: { url: string | undefined; tokenFile: string | undefined }): Promise<void> {
  await new LocalServer(readSettings(options), () => undefined).reach();
}
