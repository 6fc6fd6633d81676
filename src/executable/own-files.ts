import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { getAssetKeys, getRawAsset } from 'node:sea';
import { oneFile } from './one-file.ts';
import { inPackage } from './own-program.ts';

/** The files of the page for browsers, by their names: from the folder that they are built into, or from the executable. Empty before a build. */
export function ownPageFiles(): Map<string, Uint8Array> {
  if (oneFile !== undefined) {
    const keys = getAssetKeys().filter((key) => key.startsWith('web/'));
    return new Map(keys.map((key) => [key.slice('web/'.length), new Uint8Array(getRawAsset(key))]));
  }
  const folder = inPackage('dist/web');
  return new Map(existsSync(folder) ? readdirSync(folder).map((name) => [name, readFileSync(`${folder}/${name}`)]) : []);
}
