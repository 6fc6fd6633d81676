/**
 * Lets `process.cwd()` answer where the working folder was deleted: it names the folder that was there. A program can be started
 * in such a folder, and no caller expects Node's error.
 */
export function replaceDeletedFolder(): void {
  try {
    process.cwd();
  } catch {
    const folder = process.env['PWD']?.startsWith('/') === true ? process.env['PWD'] : '/';
    process.cwd = () => folder;
  }
}
