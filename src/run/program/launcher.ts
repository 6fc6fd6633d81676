import { findProgram } from './find-program.ts';
import { launcherScript } from './launcher-script.ts';
import type { InheritedState } from './inherited-state.ts';

/** How to start a program, including what Node cannot do itself. */
export interface Launch {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  inherited: InheritedState;
  /** The pseudo-terminal, and the program's file descriptors that refer to it. */
  terminal?: { path: string; on: readonly number[] } | undefined;
  /** File descriptors that are closed in the program. */
  closedDescriptors?: readonly number[];
  /** The file descriptor on which the keeper reports the program's pid, stops and end. Undefined: no keeper is needed. */
  keeperDescriptor?: number | undefined;
  /** Whether the keeper also reaps orphaned processes. This process is then pid 1 of a container. */
  reapsOrphans?: boolean;
}

/** The command that Node starts instead of the program. */
export interface LaunchCommand {
  file: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  /** Whether a keeper process leads the session, as requested. */
  hasKeeper: boolean;
}

/** Numbers of ioctls and system calls. Perl would need C header files to know them. */
const systemNumbers =
  process.platform === 'darwin'
    ? { front: 0x80047476, control: 0x20007461, limit: undefined, child: undefined }
    : {
        front: 0x5410,
        control: 0x540e,
        limit: process.arch === 'x64' ? 302 : process.arch === 'arm64' ? 261 : undefined,
        child: process.arch === 'x64' ? 157 : process.arch === 'arm64' ? 167 : undefined,
      };

/** Puts a launcher in front of the program when it needs one: Perl, or else a shell, which can do less. */
export function launchCommand(launch: Launch): LaunchCommand {
  const { command, args, env, inherited, terminal, keeperDescriptor, reapsOrphans } = launch;
  // A shell drops variables whose names it does not accept, and adds PWD when it is missing.
  const needsExactBytes =
    inherited.rawArgs !== undefined || inherited.rawEnv.size > 0 || env['PWD'] === undefined || !Object.keys(env).every(isShellName);
  const isPlain =
    inherited.ignored.length === 0 && inherited.openFiles === undefined && terminal === undefined && keeperDescriptor === undefined;
  if (isPlain && inherited.rawArgs === undefined && inherited.rawEnv.size === 0)
    return { file: command, args: [...args], env, hasKeeper: false };
  const needsPerl = needsExactBytes || terminal !== undefined || keeperDescriptor !== undefined || reapsOrphans === true;
  const perl = needsPerl ? perlAt(env['PATH']) : undefined;
  return perl === undefined ? shellCommand(launch) : perlCommand(perl, launch);
}

/** The `stdio` for `spawn`: the first three as given, then each inherited file descriptor under its own number. */
export function stdioWithInherited(
  inherited: InheritedState,
  first: readonly (number | 'pipe' | 'ignore')[],
): (number | 'pipe' | 'ignore')[] {
  const stdio = [...first];
  for (const descriptor of inherited.descriptors) {
    while (stdio.length < descriptor) stdio.push('ignore');
    stdio[descriptor] = descriptor;
  }
  return stdio;
}

function perlCommand(
  perl: string,
  { command, args, env, inherited, terminal, keeperDescriptor, reapsOrphans, closedDescriptors = [] }: Launch,
): LaunchCommand {
  const words = inherited.rawArgs ?? [command, ...args];
  // Perl would read these variables as its own settings.
  const perls = Object.keys(env).filter((name) => name.startsWith('PERL'));
  const rawEnv = [
    ...perls.map((name) => Buffer.from(`${name}=${env[name]}`)),
    ...[...inherited.rawEnv].filter(([name]) => env[name] !== undefined).map(([, entry]) => entry),
  ];
  const options: Record<string, string | number | undefined> = {
    hex: inherited.rawArgs === undefined ? undefined : 1,
    perl: 'PERL_BADLANG',
    env: rawEnv.map((entry) => entry.toString('hex')).join(',') || undefined,
    nofile:
      inherited.openFiles === undefined || systemNumbers.limit === undefined
        ? undefined
        : `${inherited.openFiles.soft}:${inherited.openFiles.hard}:${systemNumbers.limit}`,
    ignore: inherited.ignored.map((signal) => signal.slice(3)).join(',') || undefined,
    close: closedDescriptors.join(',') || undefined,
    tty: terminal?.path,
    on: terminal?.on.join(','),
    keep: keeperDescriptor,
    theirs: inherited.descriptors.join(',') || undefined,
    reap: reapsOrphans === true ? systemNumbers.child : undefined,
    front: systemNumbers.front,
    control: keeperDescriptor === undefined ? undefined : systemNumbers.control,
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
    hasKeeper: keeperDescriptor !== undefined,
  };
}

function shellCommand({ command, args, env, inherited, terminal }: Launch): LaunchCommand {
  const script = [
    ...(terminal === undefined
      ? []
      : ['t=$1; shift', ...(terminal.on.length === 0 ? [': <>"$t"'] : terminal.on.map((on) => `exec ${on}<>"$t"`))]),
    ...(inherited.openFiles === undefined ? [] : [`ulimit -Sn ${inherited.openFiles.soft}`]),
    ...(inherited.ignored.length === 0 ? [] : [`trap '' ${inherited.ignored.map((signal) => signal.slice(3)).join(' ')}`]),
    'exec "$@"',
  ].join('; ');
  return {
    file: '/bin/sh',
    args: ['-c', script, 'sh', ...(terminal === undefined ? [] : [terminal.path]), command, ...args],
    env,
    hasKeeper: false,
  };
}

function perlAt(path: string | undefined): string | undefined {
  try {
    return findProgram('perl', path);
  } catch {
    // The program's PATH may not include the folder of Perl.
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
