import { readFileSync } from 'node:fs';

/** The bytes of a file; none of one that is not there. @throws the system's error */
export function fileBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
