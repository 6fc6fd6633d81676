import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { installDebianPackages } from './debian-packages.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

function onPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path));
}

/** A Chromium, installed from the system's packages where there is none and that can be done; else why there is none. */
export async function findChromium(): Promise<{ path: string } | { missing: string }> {
  const path = onPath();
  if (path !== undefined) return { path };
  const failure = await installDebianPackages('chromium');
  if (failure !== undefined) return { missing: `no Chromium, and ${failure}` };
  const installed = onPath();
  return installed === undefined ? { missing: 'apt-get installed no Chromium' } : { path: installed };
}

/** Opens a page in a Chromium of its own until the test ends. @param hosts names that lead to 127.0.0.1 */
export function openInChromium(path: string, url: string, hosts: readonly string[]): void {
  const profile = mkdtempSync(join(tmpdir(), 'shannon-dash-chromium-'));
  const child = spawn(
    path,
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      `--user-data-dir=${profile}`,
      `--host-resolver-rules=${hosts.map((host) => `MAP ${host} 127.0.0.1`).join(', ')}`,
      url,
    ],
    { stdio: 'ignore', detached: true },
  );
  onTestFinished(async () => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    // Its helpers are in its process group, and write into the profile to the end.
    if (child.pid !== undefined && ended !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });
}
