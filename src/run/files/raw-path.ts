import { isAbsolute, relative } from 'node:path';

/**
 * A path below the work tree's top, with `/` between its parts, as git tells it: one character per byte (latin1). File names are bytes,
 * not text, so only this form names every file; text decoded as UTF-8 would merge names that are not valid UTF-8.
 */
export type RawPath = string;

/** What follows a NUL-terminated list of git's (`-z`), as raw paths or records. */
export function splitNul(output: Buffer): RawPath[] {
  const parts = output.toString('latin1').split('\0');
  parts.pop();
  return parts;
}

/** An absolute path as one below the top; undefined for one outside. */
export function rawPathBelow(root: string, path: string): RawPath | undefined {
  const below = relative(root, path);
  return below === '' || below === '..' || below.startsWith('../') || isAbsolute(below) ? undefined : Buffer.from(below).toString('latin1');
}

/** The file's place on disk, in a form that `node:fs` takes. `root` is the absolute path of the work tree's top. */
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
