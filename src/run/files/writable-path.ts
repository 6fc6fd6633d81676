import type { RawPath } from './raw-path.ts';

/** Characters that HFS+ ignores in names, as UTF-8 bytes: zero-width characters, direction marks, the byte-order mark. */
const hfsIgnored = /\xe2\x80[\x8c-\x8f\xaa-\xae]|\xe2\x81[\xaa-\xaf]|\xef\xbb\xbf/g;

/**
 * Whether git itself would write this path of a tree: below the top, and not in a git folder under any name that a common file system
 * accepts for it. Trees are untrusted input.
 */
export function isWritablePath(path: RawPath): boolean {
  return path !== '' && !path.includes('\0') && path.split('/').every(isWritableName);
}

function isWritableName(name: string): boolean {
  if (name === '' || name === '.' || name === '..') return false;
  // On Windows and its file systems a backslash separates folders, and a colon separates a file from a stream in it.
  return name.split('\\').every((part) => {
    const plain = part
      .replace(hfsIgnored, '')
      .replace(/:.*$/s, '')
      .replace(/[ .]+$/, '')
      .toLowerCase();
    return plain !== '.git' && plain !== 'git~1' && (part === name || part !== '..');
  });
}
