import { isAbsolute, relative } from 'node:path';

/**
 * A path relative to the top of the work tree, with `/` between its parts, in git's form: one character per byte (latin1). File names
 * are bytes, not text. Decoding them as UTF-8 would make different names equal that are not valid UTF-8.
 */
export type RawPath = string;

/** Splits a NUL-terminated list of git's (`-z`) into raw paths or records. */
export function splitNul(output: Buffer): RawPath[] {
  const parts = output.toString('latin1').split('\0');
  parts.pop();
  return parts;
}

/** Converts an absolute path to a raw path; undefined for a path outside the work tree. */
export function rawPathBelow(root: string, path: string): RawPath | undefined {
  const below = relative(root, path);
  return below === '' || below === '..' || below.startsWith('../') || isAbsolute(below) ? undefined : Buffer.from(below).toString('latin1');
}

/** The file's absolute path, in a form that `node:fs` accepts. `root` is the absolute path of the work tree's top. */
export function absolutePath(root: string, path: RawPath): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]);
}

/** The path as text for people and events; bytes that are not UTF-8 become U+FFFD. */
export function displayPath(path: RawPath): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}

/** The folder that holds the path; '' at the top. */
export function parentOf(path: RawPath): RawPath {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

/** The path's last part. */
export function nameOf(path: RawPath): RawPath {
  return path.slice(path.lastIndexOf('/') + 1);
}
