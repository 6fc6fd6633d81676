import { fstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { constants } from 'node:os';
import { basename } from 'node:path';

/** What this process was started with and a program that it starts would not get by itself, because Node changes it. */
export interface OwnStart {
  /** Open descriptors above 2. Node closes them in what it starts. */
  readonly descriptors: readonly number[];
  /** Ignored signals. Node sets all of them back. */
  readonly ignored: readonly NodeJS.Signals[];
  /** The limit of open files, where Node has raised it. */
  readonly openFiles: { soft: number; hard: number } | undefined;
  /** The arguments as bytes, where they are not UTF-8. */
  readonly rawArgs: readonly Buffer[] | undefined;
  /** Variables of the environment that are not UTF-8, as bytes: name=value. */
  readonly rawEnv: ReadonlyMap<string, Buffer>;
}

let descriptors: readonly number[] = [];

/** Looks which descriptors were handed to this process. To be called before the process opens any itself. */
export function rememberDescriptors(): void {
  if (process.platform !== 'linux') return;
  try {
    descriptors = inheritedDescriptors();
  } catch {
    // Without /proc nobody knows.
  }
}

/**
 * What to hand to Node for a process of ours that outlives this one: of the descriptors that were handed to us it gets none. Node
 * itself closes only those below 16, and an ignored one it leaves open: each of the others is replaced by `nothing`, an open
 * descriptor of /dev/null.
 */
export function withoutInherited(
  stdio: readonly (number | 'pipe' | 'ignore' | 'ipc')[],
  nothing: number,
): (number | 'pipe' | 'ignore' | 'ipc')[] {
  const handed: (number | 'pipe' | 'ignore' | 'ipc')[] = [...stdio];
  for (const descriptor of descriptors.filter((each) => each >= stdio.length)) {
    while (handed.length < descriptor) handed.push('ignore');
    handed[descriptor] = nothing;
  }
  return handed;
}

/** Everything else that it was started with. `count` arguments at the end are the program's. */
export function readOwnStart(count: number): OwnStart {
  return {
    descriptors,
    ignored: ignoredSignals(),
    openFiles: limitBeforeNode(),
    rawArgs: rawArguments(count),
    rawEnv: rawEnvironment(),
  };
}

/** How much earlier than the process's own start a pipe of Node may seem to be made: the clock of files ticks coarsely. */
const tickMs = 10;

function inheritedDescriptors(): number[] {
  const open = readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => descriptor > 2)
    .flatMap((descriptor) => {
      try {
        return [{ descriptor, target: readlinkSync(`/proc/self/fd/${descriptor}`) }];
      } catch {
        return [];
      }
    });
  return open
    .filter(({ descriptor, target }) => {
      // Node's own: epoll and its like, and /dev/null.
      if (target.startsWith('anon_inode:') || target === '/dev/null' || target === '/proc/self/fd') return false;
      if (target === `/proc/${process.pid}/fd`) return false;
      if (!target.startsWith('pipe:')) return true;
      // Node has both ends of each of its pipes, and has made them just now.
      const ends = open.filter((other) => other.target === target).length;
      const { atimeMs, mtimeMs, ctimeMs } = fstatSync(descriptor);
      return ends !== 2 || Math.min(atimeMs, mtimeMs, ctimeMs) < performance.timeOrigin - tickMs;
    })
    .map(({ descriptor }) => descriptor);
}

const shells = new Set(['sh', 'dash', 'bash', 'ash', 'busybox', 'zsh', 'ksh', 'mksh', 'make', 'gmake']);

/**
 * Node has set back what was ignored, so it is told by who started us: `nohup` leaves its name, and a shell or make that ignores a
 * signal hands that on. Not so an interactive shell: it ignores signals for itself alone.
 */
function ignoredSignals(): NodeJS.Signals[] {
  const ignored = new Set<NodeJS.Signals>();
  if (basename(process.env['_'] ?? '') === 'nohup') ignored.add('SIGHUP');
  try {
    const status = readFileSync(`/proc/${process.ppid}/status`, 'latin1');
    const name = /^Name:\s*(.*)$/m.exec(status)?.[1] ?? '';
    const mask = BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
    const isIgnored = (signal: NodeJS.Signals) => ((mask >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
    const isInteractive = isIgnored('SIGTSTP') || isIgnored('SIGTTOU');
    if (shells.has(name) && !isInteractive) {
      for (const signal of Object.keys(constants.signals) as NodeJS.Signals[]) {
        // bash waits with SIGQUIT ignored, and sets it back for what it starts.
        if (signal !== 'SIGCHLD' && isIgnored(signal) && (signal !== 'SIGQUIT' || isIgnored('SIGINT'))) ignored.add(signal);
      }
    }
  } catch {
    // No /proc.
  }
  return [...ignored];
}

function limitBeforeNode(): OwnStart['openFiles'] {
  const own = openFilesOf('self');
  const parent = openFilesOf(process.ppid);
  if (own === undefined || parent === undefined || parent.soft >= own.soft) return undefined;
  return { soft: parent.soft, hard: own.hard };
}

function openFilesOf(pid: number | 'self'): { soft: number; hard: number } | undefined {
  try {
    const found = /^Max open files\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'));
    return found === null ? undefined : { soft: Number(found[1]), hard: Number(found[2]) };
  } catch {
    return undefined;
  }
}

function rawArguments(count: number): Buffer[] | undefined {
  const bytes = readBytes('/proc/self/cmdline');
  if (bytes === undefined || isUtf8(bytes)) return undefined;
  return splitAtNul(bytes).slice(-count);
}

function rawEnvironment(): Map<string, Buffer> {
  const bytes = readBytes('/proc/self/environ');
  const raw = new Map<string, Buffer>();
  if (bytes === undefined || isUtf8(bytes)) return raw;
  for (const entry of splitAtNul(bytes)) {
    if (!isUtf8(entry)) raw.set(entry.toString().split('=', 1)[0] ?? '', entry);
  }
  return raw;
}

function readBytes(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function splitAtNul(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(0, from);
    pieces.push(bytes.subarray(from, end === -1 ? bytes.length : end));
    from = end === -1 ? bytes.length : end + 1;
  }
  return pieces;
}
