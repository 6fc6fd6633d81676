import { createInterface } from 'node:readline/promises';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { Output } from './output.ts';

/** Whether there is a person to ask. */
export function canAsk({ isJson }: Pick<Output, 'isJson'>): boolean {
  return process.stdin.isTTY && process.stderr.isTTY && !isJson;
}

/** Asks on the terminal; anything but `y` is no. @throws Failure the answer is no: nothing was done */
export async function confirm(question: string): Promise<void> {
  if (!(await isYes(question))) throw new Failure('CONFLICT', 'nothing was changed', { exitCode: exitCodes.refused });
}

async function isYes(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // readline takes Ctrl-C for itself while it asks.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return /^y(?:es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
