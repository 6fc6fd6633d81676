import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

interface LockedPackage {
  link?: boolean;
  integrity?: string;
  hasInstallScript?: boolean;
  inBundle?: boolean;
}

const lock = JSON.parse(readFileSync(fileURLToPath(new URL('../../package-lock.json', import.meta.url)), 'utf8')) as {
  packages: Record<string, LockedPackage>;
};
const installed = Object.entries(lock.packages).filter(([path, { link }]) => path.includes('node_modules/') && link !== true);

describe('row 27: installing runs no code of a package, and takes nothing that is not in the lock', () => {
  test('no locked package has an install script', () => {
    expect(installed.length).toBeGreaterThan(100);
    expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path)).toEqual([]);
  });

  test('every locked package has a checksum', () => {
    expect(installed.filter(([, { integrity, inBundle }]) => integrity === undefined && inBundle !== true).map(([path]) => path)).toEqual(
      [],
    );
  });
});
