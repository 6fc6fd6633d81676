import { fstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { constants } from 'node:os';
import { basename } from 'node:path';

/** Process state that this process inherited and that Node changes. A program started by Node would not get it unchanged. */
export interface InheritedState {
  /** Open file descriptors above 2. Node closes them in its child processes. */
  readonly descriptors: readonly number[];
  /** Signals that this process was started with as ignored. Node resets all of them to their default. */
  readonly ignored: readonly NodeJS.Signals[];
  /** The limit of open files before Node raised it; undefined when Node did not. */
  readonly openFiles: { soft: number; hard: number } | undefined;
  /** The arguments as bytes, when they are not valid UTF-8. */
  readonly rawArgs: readonly Buffer[] | undefined;
  /** Environment variables that are not valid UTF-8, as bytes: name=value. */
  readonly rawEnv: ReadonlyMap<string, Buffer>;
}

let descriptors: readonly number[] = [];

/** Remembers which file descriptors this process inherited. Call it before the process opens any itself. */
export function rememberInheritedDescriptors(): void {
  if (process.platform !== 'linux') return;
  try {
    descriptors = inheritedDescriptors();
  } catch {
    // Without /proc the inherited file descriptors cannot be found.
  }
}

/**
 * The `stdio` for a background process that outlives this one and must not hold inherited file descriptors open. Node closes only
 * those below 16 itself, and leaves one open that `stdio` calls 'ignore'. So each inherited descriptor is replaced by `nothing`, an
 * open descriptor of /dev/null.
 */
export function withoutInheritedDescriptors(
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

/** Reads the inherited state. The last `count` arguments of this process are the command line of the program. */
export function readInheritedState(count: number): InheritedState {
  return {
    descriptors,
    ignored: ignoredSignals(),
    openFiles: limitBeforeNode(),
    rawArgs: rawArguments(count),
    rawEnv: rawEnvironment(),
  };
}

/** How much earlier than the start of this process Node's own pipes may seem to be made, because file times are coarse. */
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
      // Node opened these itself: epoll and similar descriptors, and /dev/null.
      if (target.startsWith('anon_inode:') || target === '/dev/null' || target === '/proc/self/fd') return false;
      if (target === `/proc/${process.pid}/fd`) return false;
      if (!target.startsWith('pipe:')) return true;
      // Node holds both ends of each of its own pipes, and made them after this process started.
      const ends = open.filter((other) => other.target === target).length;
      const { atimeMs, mtimeMs, ctimeMs } = fstatSync(descriptor);
      return ends !== 2 || Math.min(atimeMs, mtimeMs, ctimeMs) < performance.timeOrigin - tickMs;
    })
    .map(({ descriptor }) => descriptor);
}

const shells = new Set(['sh', 'dash', 'bash', 'ash', 'busybox', 'zsh', 'ksh', 'mksh', 'make', 'gmake']);

/**
 * Node has reset the ignored signals, so they are inferred from the parent process. `nohup` leaves its name in `_`. A shell or make
 * that ignores a signal passes that on to its children. An interactive shell is the exception: it ignores signals only for itself.
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
        // bash ignores SIGQUIT while it waits, and resets it for its children.
        if (signal !== 'SIGCHLD' && isIgnored(signal) && (signal !== 'SIGQUIT' || isIgnored('SIGINT'))) ignored.add(signal);
      }
    }
  } catch {
    // No /proc.
  }
  return [...ignored];
}

function limitBeforeNode(): InheritedState['openFiles'] {
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
