import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ManagerCommand } from './service-manager.ts';

const run = promisify(execFile);
/** A service manager that is busy, as at a login, may take a while. */
const timeoutMs = 30_000;

/** What a service manager answered, or why there is no answer. */
export type ManagerAnswer = { text: string } | { refusal: string };

/** Gives commands to the service manager, one after the other, up to the first that fails. */
export async function tellManager(...commands: readonly ManagerCommand[]): Promise<ManagerAnswer> {
  let text = '';
  for (const { command, mayFail } of commands) {
    const [file, ...args] = command;
    try {
      ({ stdout: text } = await run(file, args, { timeout: timeoutMs }));
    } catch (error) {
      if (mayFail !== true) return { refusal: refusalOf(file, error) };
    }
  }
  return { text };
}

function refusalOf(file: string, error: unknown): string {
  const { code, killed, stderr } = error as { code?: unknown; killed?: boolean; stderr?: string };
  if (code === 'ENOENT') return `there is no ${file} here`;
  if (killed === true) return `${file} did not end in ${timeoutMs / 1_000} s`;
  return stderr?.trim().split('\n')[0] || `${file} ended with ${String(code)}`;
}
