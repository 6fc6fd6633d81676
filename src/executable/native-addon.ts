import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRawAsset } from 'node:sea';
import { oneFile } from './one-file.ts';

/** Loads the native part of node-pty. @throws it is not installed, or not for this system */
export function loadPtyAddon(): unknown {
  if (oneFile !== undefined) return loadFromExecutable('pty.node');
  const require = createRequire(import.meta.url);
  const { requireBinary } = require('@lydell/node-pty/requireBinary.js') as { requireBinary: (file: string) => unknown };
  return requireBinary('pty.node');
}

/** The system loads native code from files only: the addon is one for as long as that takes, in a folder that nobody else can write to. */
function loadFromExecutable(name: string): unknown {
  const bytes = new Uint8Array(getRawAsset(name));
  try {
    return loadThrough(tmpdir(), name, bytes);
  } catch {
    // Some systems run nothing that lies in the folder for temporary files.
    return loadThrough(homedir(), name, bytes);
  }
}

function loadThrough(parent: string, name: string, bytes: Uint8Array): unknown {
  const folder = mkdtempSync(join(parent, '.shannon-dash-'));
  try {
    const path = join(folder, name);
    writeFileSync(path, bytes, { mode: 0o700 });
    const addon = { exports: {} };
    process.dlopen(addon, path);
    return addon.exports;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
