/**
 * The working folder may have been deleted, and programs still start there. Node's own answer is an error that no caller expects;
 * so everything that asks is told where the folder was.
 */
export function standInForDeletedFolder(): void {
  try {
    process.cwd();
  } catch {
    const folder = process.env['PWD']?.startsWith('/') === true ? process.env['PWD'] : '/';
    process.cwd = () => folder;
  }
}
