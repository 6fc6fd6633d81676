import { existsSync, lstatSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { sep } from 'node:path';
import { safeLine } from '../../../core/text/safe-text.ts';
import { ownCommand } from '../../../executable/own-program.ts';
import { Failure, usageFailure } from '../../failure.ts';
import { guarded, occupantOf, removeWithFolders, writeInstalled } from '../../installed-file.ts';
import type { Invocation } from '../../invocation.ts';
import type { Output } from '../../terminal/output.ts';
import type { ServiceAction } from './definition.ts';
import { launchd } from './launchd.ts';
import { checkedFlags } from './serve-flags.ts';
import type { ServerStart, ServiceManager } from './service-manager.ts';
import { systemd } from './systemd.ts';
import { tellManager } from './told-manager.ts';

/** What the service's file says of itself. */
interface InstalledFacts {
  command: ServerStart['command'];
}

/** Variables that say where the user's files are; a service does not have those of the shell. */
const folderVariables = ['XDG_CONFIG_HOME', 'XDG_STATE_HOME', 'XDG_DATA_HOME', 'XDG_CACHE_HOME'];

/** A server that cannot serve ends soon after its start: for so long the manager is asked again. */
const [looks, betweenLooksMs] = [4, 500];

/** Installs the service and starts it, says how it stands, or removes it. */
export async function service({ args, output, interruption }: Invocation<object>): Promise<void> {
  const [action, ...flags] = args as [ServiceAction, ...string[]];
  const manager = thisManager();
  if (manager === undefined) {
    throw usageFailure('there are services for systemd on Linux and for launchd on macOS', 'start the server: shannon-dash serve');
  }
  if (action !== 'install' && flags.length > 0) throw usageFailure(`${action} takes no flags of serve; install does`);
  if (action === 'status') return status(manager, output);
  if (action === 'uninstall') return uninstall(manager, output);
  const checked = await checkedFlags(flags, interruption);
  if (checked !== undefined) await install(manager, checked, output);
}

function thisManager(): ServiceManager | undefined {
  if (process.platform === 'linux') return systemd();
  if (process.platform === 'darwin') return launchd(homedir(), process.getuid?.() ?? 0);
  return undefined;
}

async function install(manager: ServiceManager, flags: readonly string[], output: Output): Promise<void> {
  const { path, comment } = manager;
  const before = occupantOf<InstalledFacts>(path, comment);
  if (before.kind === 'foreign') throw foreign(path);
  const start = serverStart(flags);
  const facts: InstalledFacts = { command: start.command };
  guarded(path, () => writeInstalled({ path, text: manager.text(start), comment, facts }, before));
  const started = await tellManager(...manager.starting);
  const refusal = 'refusal' in started ? started.refusal : undefined;
  const state = refusal === undefined ? await stateAfterStart(manager) : undefined;
  if (output.isJson) {
    const { command } = start;
    output.document({ ok: true, manager: manager.name, path, command, started: refusal === undefined, state, refusal });
    return;
  }
  output.line(`${before.kind === 'ours' ? 'written anew to' : 'written to'} ${safeLine(path)}`);
  output.line(`  it starts: ${safeLine(start.command.join(' '), 4_000)}`);
  if (refusal === undefined) {
    output.line(`${manager.name} has started it${state === manager.up ? '' : ', and it is not up'}: ${safeLine(state ?? 'unknown')}`);
  } else {
    output.line(`not started: ${safeLine(refusal)}`);
    output.line(`  start it: ${safeLine(manager.nextStep)}`);
  }
  for (const hint of manager.hints) output.line(`  ${safeLine(hint)}`);
  warnOfSurroundings(start, output);
}

async function status(manager: ServiceManager, output: Output): Promise<void> {
  const { name, path, comment } = manager;
  const occupant = occupantOf<InstalledFacts>(path, comment);
  const answer = await tellManager(manager.asking);
  const state = 'text' in answer ? manager.stateIn(answer.text) : undefined;
  const refusal = 'refusal' in answer ? answer.refusal : undefined;
  const command = occupant.kind === 'ours' ? occupant.mark.command : undefined;
  const gone = command?.find((word, at) => at < 2 && word.startsWith(sep) && !existsSync(word));
  if (output.isJson) {
    const installed = occupant.kind === 'ours';
    output.document({ manager: name, installed, path, foreign: occupant.kind === 'foreign', command, state, refusal, gone });
    return;
  }
  const installed = { none: 'not installed', ours: 'installed', foreign: 'not as install has written it' }[occupant.kind];
  output.line(`${installed}: ${safeLine(path)}`);
  if (command !== undefined) output.line(`  it starts: ${safeLine(command.join(' '), 4_000)}`);
  if (gone !== undefined) output.warn(`${gone} is gone: install the service again`);
  output.line(`${name}: ${safeLine(state ?? refusal ?? 'knows of no such service')}`);
}

async function uninstall(manager: ServiceManager, output: Output): Promise<void> {
  const { path, comment, forget } = manager;
  const occupant = occupantOf<InstalledFacts>(path, comment);
  if (occupant.kind === 'foreign') throw foreign(path);
  if (occupant.kind === 'none') {
    if (output.isJson) output.document({ ok: true, manager: manager.name, path, removed: false });
    else output.line(`was not there: ${safeLine(path)}`);
    return;
  }
  const stopped = await tellManager(...manager.stopping);
  const refusal = 'refusal' in stopped ? stopped.refusal : undefined;
  guarded(path, () => {
    for (const link of forget.links) if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true) rmSync(link);
    removeWithFolders(path, occupant.mark.folders);
  });
  await tellManager(...forget.commands);
  if (output.isJson) {
    output.document({ ok: true, manager: manager.name, path, removed: true, stopped: refusal === undefined, refusal });
    return;
  }
  output.line(`${refusal === undefined ? 'stopped and removed' : 'removed'}: ${safeLine(path)}`);
  if (refusal !== undefined) output.line(`  ${manager.name} was not told to stop it: ${safeLine(refusal)}`);
}

/** How this program is started as a server with these flags. @throws Failure a path or flag cannot stand in the service's file */
function serverStart(flags: readonly string[]): ServerStart {
  const [file, args] = ownCommand('serve', ...flags);
  const set = folderVariables.flatMap((name): [string, string][] => (process.env[name] ? [[name, process.env[name]]] : []));
  if (/["'\\]/.test(file)) throw usageFailure(`a service cannot start a program whose path has a quote or a backslash: ${file}`);
  const start: ServerStart = { command: [file, ...args], environment: Object.fromEntries(set), home: homedir() };
  const strange = [...start.command, ...Object.values(start.environment), start.home].find((word) => /[\0-\x1f\x7f]/.test(word));
  if (strange !== undefined) throw usageFailure(`a service cannot be given ${JSON.stringify(strange)}: it has a control character`);
  return start;
}

/** The manager's word for how the service stands, once it has had time to fail. */
async function stateAfterStart(manager: ServiceManager): Promise<string | undefined> {
  let state: string | undefined = manager.up;
  for (let look = 0; look < looks && state === manager.up; look++) {
    await new Promise((resolve) => setTimeout(resolve, betweenLooksMs));
    const answer = await tellManager(manager.asking);
    state = 'text' in answer ? manager.stateIn(answer.text) : undefined;
  }
  return state;
}

/** Says what a service does not have, though the one who installs it may think so. */
function warnOfSurroundings({ command }: ServerStart, output: Output): void {
  if (command.some((word) => word.includes(`${sep}_npx${sep}`))) {
    output.warn("the service starts the copy in npx's cache, which npm may remove: install the package, then the service again");
  }
  const unseen = Object.keys(process.env).filter((name) => name.startsWith('SHANNON_DASH_'));
  if (unseen.length > 0) {
    output.warn(`the service does not see ${unseen.join(', ')}: give flags after --, or set it in the configuration file`);
  }
}

function foreign(path: string): Failure {
  return new Failure('CONFLICT', `${path} is not as service install has written it: it is left as it is`, {
    hints: ['move it away, and try again'],
  });
}
