import { brotliDecompressSync, gzipSync } from 'node:zlib';
import { ownPageFiles } from '../../../executable/own-files.ts';

/** The type of a file by the end of its name. */
const types: ReadonlyMap<string, string> = new Map([
  ['html', 'text/html; charset=utf-8'],
  ['js', 'text/javascript; charset=utf-8'],
  ['css', 'text/css; charset=utf-8'],
  ['svg', 'image/svg+xml'],
  ['webmanifest', 'application/manifest+json'],
]);

/** A file of the page, as a browser takes it. */
export interface SentFile {
  type: string;
  /** Undefined: as it is. */
  encoding: 'br' | 'gzip' | undefined;
  bytes: Buffer;
}

/** The files of the page. They lie compressed by Brotli, which browsers take over https and on their own machine; others get gzip. */
export class PageFiles {
  #files: ReadonlyMap<string, Uint8Array> | undefined;
  /** By name and encoding, what was made of a file for browsers that do not take it as it lies. There are six files. */
  readonly #made = new Map<string, Buffer>();

  /** @param accepted the header `Accept-Encoding`. @returns undefined: there is no such file */
  find(name: string, accepted: string): SentFile | undefined {
    this.#files ??= ownPageFiles();
    const stored = this.#files.get(`${name}.br`);
    const type = types.get(name.slice(name.lastIndexOf('.') + 1));
    if (stored === undefined || type === undefined) return undefined;
    const taken = accepted.split(',').map((each) => each.split(';', 1)[0]?.trim().toLowerCase());
    if (taken.includes('br')) return { type, encoding: 'br', bytes: Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength) };
    if (taken.includes('gzip'))
      return { type, encoding: 'gzip', bytes: this.#make(`${name}.gz`, () => gzipSync(brotliDecompressSync(stored))) };
    return { type, encoding: undefined, bytes: this.#make(name, () => brotliDecompressSync(stored)) };
  }

  #make(key: string, make: () => Buffer): Buffer {
    const known = this.#made.get(key) ?? make();
    this.#made.set(key, known);
    return known;
  }
}
