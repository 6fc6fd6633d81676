import { vi } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { failureOf } from '../../src/cli/failure.ts';
import { openOutput, Program } from '../../src/cli/program.ts';
import { Interruption } from '../../src/cli/terminal/interruption.ts';
import type { End, Place } from './started-program.ts';

/** Does something in this process as if it were started in a place: with its variables, in its folder. Only one at a time. */
export async function inPlace<Result>({ folder, env }: Place, work: () => Promise<Result>): Promise<Result> {
  const strange = Object.keys(process.env).filter((name) => name.startsWith('SHANNON_DASH_'));
  for (const name of strange) vi.stubEnv(name, undefined);
  // Where the home was when the process started is what some packages go by.
  for (const [name, value] of Object.entries({ XDG_DATA_HOME: `${folder}/.local/share`, ...env })) vi.stubEnv(name, value);
  const cwd = vi.spyOn(process, 'cwd').mockReturnValue(folder);
  try {
    return await work();
  } finally {
    cwd.mockRestore();
    vi.unstubAllEnvs();
  }
}

/**
 * The program's commands, called in this process: what they read of their arguments, what they say, which code they end with. Starting
 * the program costs a third of a second of a core, so it is started where its process matters: its signals, its streams, its end.
 */
export function callProgram(args: readonly string[], place: Place): Promise<Omit<End, 'signal'>> {
  return inPlace(place, async () => {
    const texts = { stdout: '', stderr: '' };
    const spies = (['stdout', 'stderr'] as const).map((name) =>
      vi.spyOn(process[name], 'write').mockImplementation((text) => {
        texts[name] += String(text);
        return true;
      }),
    );
    const interruption = new Interruption();
    try {
      const program = new Program(interruption);
      for (const { definition, load } of commands) program.add(definition, load);
      const code = await program.run(['', '', ...args]).catch(async (error: unknown) => {
        const failure = failureOf(error);
        (await openOutput({ json: args.includes('--json'), color: false })).failure(failure);
        return failure.exitCode;
      });
      return { code, ...texts };
    } finally {
      interruption.release();
      for (const spy of spies) spy.mockRestore();
    }
  });
}
