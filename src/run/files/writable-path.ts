import type { RawPath } from './raw-path.ts';

/** Characters that HFS+ passes over in names, as UTF-8 read byte by byte: zero-width ones, marks of direction, the byte-order mark. */
const hfsIgnored = /\xe2\x80[\x8c-\x8f\xaa-\xae]|\xe2\x81[\xaa-\xaf]|\xef\xbb\xbf/g;

/**
 * Whether git itself would write a path of a tree: below the top, and nowhere in a git folder, by whatever name one of the file systems
 * in use knows it. Trees may have been made by anybody.
 */
export function isWritablePath(path: RawPath): boolean {
  return path !== '' && !path.includes('\0') && path.split('/').every(isWritableName);
}

function isWritableName(name: string): boolean {
  if (name === '' || name === '.' || name === '..') return false;
  // On Windows and its file systems a backslash stands between folders, and what follows a colon is a stream of the file before it.
  return name.split('\\').every((part) => {
    const plain = part
      .replace(hfsIgnored, '')
      .replace(/:.*$/s, '')
      .replace(/[ .]+$/, '')
      .toLowerCase();
    return plain !== '.git' && plain !== 'git~1' && (part === name || part !== '..');
  });
}
