import { findProgram } from './find-program.ts';
import { launcherScript } from './launcher-script.ts';
import type { OwnStart } from './own-start.ts';

/** How a program is to be started beyond what Node can do. */
export interface Launch {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  own: OwnStart;
  /** A terminal, the program's descriptors that are on it, and whether it becomes the terminal of the program's session. */
  terminal?: { path: string; on: readonly number[] } | undefined;
  /** Descriptors that the program must not have. */
  ours?: readonly number[];
  /** The descriptor on which a process that keeps the session tells how the program does. Undefined: none is needed. */
  keep?: number | undefined;
  /** Whether what is left without a parent is ours to take. */
  reaps?: boolean;
}

/** What Node is to start instead. */
export interface Launched {
  file: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  /** Whether a process keeps the session, as was asked for. */
  isKept: boolean;
}

/** Numbers that Perl cannot know without a compiler's headers. */
const numbers =
  process.platform === 'darwin'
    ? { front: 0x80047476, control: 0x20007461, limit: undefined, child: undefined }
    : {
        front: 0x5410,
        control: 0x540e,
        limit: process.arch === 'x64' ? 302 : process.arch === 'arm64' ? 261 : undefined,
        child: process.arch === 'x64' ? 157 : process.arch === 'arm64' ? 167 : undefined,
      };

/** Puts a launcher before a program where it needs one: Perl, or else a shell, which can do less. */
export function launched(launch: Launch): Launched {
  const { command, args, env, own, terminal, keep, reaps } = launch;
  // Shells drop variables whose names are none to them, and make one that was not there.
  const isOdd = own.rawArgs !== undefined || own.rawEnv.size > 0 || env['PWD'] === undefined || !Object.keys(env).every(isShellName);
  const isPlain = own.ignored.length === 0 && own.openFiles === undefined && terminal === undefined && keep === undefined;
  if (isPlain && own.rawArgs === undefined && own.rawEnv.size === 0) return { file: command, args: [...args], env, isKept: false };
  const needsPerl = isOdd || terminal !== undefined || keep !== undefined || reaps === true;
  const perl = needsPerl ? perlAt(env['PATH']) : undefined;
  return perl === undefined ? byShell(launch) : byPerl(perl, launch);
}

/** What to hand to Node: the first three as given, and the descriptors that were handed to us by the same numbers. */
export function handedDescriptors(own: OwnStart, first: readonly (number | 'pipe' | 'ignore')[]): (number | 'pipe' | 'ignore')[] {
  const stdio = [...first];
  for (const descriptor of own.descriptors) {
    while (stdio.length < descriptor) stdio.push('ignore');
    stdio[descriptor] = descriptor;
  }
  return stdio;
}

function byPerl(perl: string, { command, args, env, own, terminal, keep, reaps, ours = [] }: Launch): Launched {
  const words = own.rawArgs ?? [command, ...args];
  // Perl would take these for its own.
  const perls = Object.keys(env).filter((name) => name.startsWith('PERL'));
  const rawEnv = [
    ...perls.map((name) => Buffer.from(`${name}=${env[name]}`)),
    ...[...own.rawEnv].filter(([name]) => env[name] !== undefined).map(([, entry]) => entry),
  ];
  const options: Record<string, string | number | undefined> = {
    hex: own.rawArgs === undefined ? undefined : 1,
    perl: 'PERL_BADLANG',
    env: rawEnv.map((entry) => entry.toString('hex')).join(',') || undefined,
    nofile:
      own.openFiles === undefined || numbers.limit === undefined
        ? undefined
        : `${own.openFiles.soft}:${own.openFiles.hard}:${numbers.limit}`,
    ignore: own.ignored.map((signal) => signal.slice(3)).join(',') || undefined,
    close: ours.join(',') || undefined,
    tty: terminal?.path,
    on: terminal?.on.join(','),
    keep,
    theirs: own.descriptors.join(',') || undefined,
    reap: reaps === true ? numbers.child : undefined,
    front: numbers.front,
    control: keep === undefined ? undefined : numbers.control,
  };
  return {
    file: perl,
    args: [
      '-e',
      launcherScript,
      '--',
      ...Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
      '--',
      ...words.map((word) => (typeof word === 'string' ? word : word.toString('hex'))),
    ],
    env: { ...Object.fromEntries(Object.entries(env).filter(([name]) => !perls.includes(name))), PERL_BADLANG: '0' },
    isKept: keep !== undefined,
  };
}

function byShell({ command, args, env, own, terminal }: Launch): Launched {
  const script = [
    ...(terminal === undefined
      ? []
      : ['t=$1; shift', ...(terminal.on.length === 0 ? [': <>"$t"'] : terminal.on.map((on) => `exec ${on}<>"$t"`))]),
    ...(own.openFiles === undefined ? [] : [`ulimit -Sn ${own.openFiles.soft}`]),
    ...(own.ignored.length === 0 ? [] : [`trap '' ${own.ignored.map((signal) => signal.slice(3)).join(' ')}`]),
    'exec "$@"',
  ].join('; ');
  return {
    file: '/bin/sh',
    args: ['-c', script, 'sh', ...(terminal === undefined ? [] : [terminal.path]), command, ...args],
    env,
    isKept: false,
  };
}

function perlAt(path: string | undefined): string | undefined {
  try {
    return findProgram('perl', path);
  } catch {
    // The program's own PATH may be narrow.
    try {
      return findProgram('/usr/bin/perl', undefined);
    } catch {
      return undefined;
    }
  }
}

function isShellName(name: string): boolean {
  return /^[A-Za-z_]\w*$/.test(name);
}
