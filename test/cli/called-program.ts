// It keeps the home that it finds when it is loaded: that must be this process's own, and no place's.
import 'env-paths';
import { runCommandLine } from '../../src/cli/main.ts';
import { Interruption } from '../../src/cli/terminal/interruption.ts';
import { runProgram, type End, type Place } from './started-program.ts';

/** Where the program is not the one of these sources; and where the user's folders depend on a home that is looked up only once. */
const isStarted =
  process.env['SHANNON_DASH_BIN'] !== undefined || process.env['SHANNON_DASH_NODE'] !== undefined || process.platform !== 'linux';

/** The environment and the folder of this process are one for all: one piece of work has them at a time. */
let last: Promise<unknown> = Promise.resolve();

/** Does something in this process as if it were started in a place: with its variables alone, in its folder. */
export function inPlace<Result>(place: Place, work: () => Promise<Result>): Promise<Result> {
  const done = last.then(async () => {
    const [cwd, env] = [process.cwd(), { ...process.env }];
    try {
      process.chdir(place.folder);
      // Where the home was when the process started is what some packages go by.
      setEnvironment({ XDG_DATA_HOME: `${place.folder}/.local/share`, ...place.env });
      return await work();
    } finally {
      setEnvironment(env);
      process.chdir(cwd);
    }
  });
  last = done.catch(() => undefined);
  return done;
}

/**
 * The program's commands, called in this process: what they read of their arguments, read and write in files, and say, and which code
 * they end with. Starting the program costs a third of a second of a core, so it is started where its process matters: its signals, its
 * streams, its end; and once for each command, which proves that the program leads there.
 */
export function callProgram(args: readonly string[], place: Place): Promise<End> {
  if (isStarted) return runProgram(args, place);
  return inPlace(place, async () => {
    const said = { stdout: '', stderr: '' };
    const own = { stdout: ownWrite(process.stdout), stderr: ownWrite(process.stderr) };
    const interruption = new Interruption();
    try {
      for (const name of streams) {
        process[name].write = (text: string | Uint8Array) => {
          said[name] += String(text);
          return true;
        };
      }
      const code = await runCommandLine(args, interruption);
      return { code, signal: null, ...said };
    } finally {
      for (const name of streams) Object.assign(process[name], own[name]);
      interruption.release();
    }
  });
}

const streams = ['stdout', 'stderr'] as const;

/** How a stream writes now. */
function ownWrite(stream: NodeJS.WriteStream): object {
  return { write: Reflect.get(stream, 'write') as unknown };
}

/** In place: what the system itself looks up, such as the home, is read from what the process was given. */
function setEnvironment(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (env[name] === undefined) delete process.env[name];
  for (const [name, value] of Object.entries(env)) if (value !== undefined) process.env[name] = value;
}
