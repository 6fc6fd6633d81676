import { safeLine } from '../../../core/text/safe-text.ts';
import { Failure, usageFailure } from '../../failure.ts';
import { guarded, occupantOf, removeWithFolders, writeInstalled } from '../../installed-file.ts';
import type { Invocation } from '../../invocation.ts';
import type { Output } from '../../terminal/output.ts';
import { callingShell } from './calling-shell.ts';
import { shellNames, type CompletionOptions, type ShellName } from './definition.ts';
import { applyToProfile, profileChange, removeFromProfile, type ProfileChange } from './profile.ts';
import { completionScripts } from './scripts/completion-scripts.ts';
import { placeFor, type ShellPlace } from './shell-places.ts';

/** The last line of a script that was installed. */
const comment = { start: '# shannon-dash completion --install: ' };

/** What has to be known to remove a script again. */
interface InstalledFacts {
  /** What was written into the shell's profile. */
  profile?: ProfileChange | undefined;
}

/** Prints the completions of a shell, installs them, or removes them again. */
export async function completion({ args: [given], options, output }: Invocation<CompletionOptions>): Promise<void> {
  const shell = (given as ShellName | undefined) ?? callingShell();
  if (shell === undefined) {
    throw usageFailure('it is called from a shell that there are no completions for', `name one: ${shellNames.join(', ')}`);
  }
  if (options.install === true) install(shell, placeFor(shell), output);
  else if (options.uninstall === true) uninstall(shell, placeFor(shell), output);
  else if (output.isJson) output.document({ shell, script: completionScripts[shell].text });
  else for (const line of completionScripts[shell].text.trimEnd().split('\n')) output.line(line);
}

function install(shell: ShellName, place: ShellPlace, output: Output): void {
  const { path, profile, hints } = place;
  const occupant = occupantOf<InstalledFacts>(path, comment);
  if (occupant.kind === 'foreign') throw foreign(path, shell);
  const before = occupant.kind === 'ours' ? occupant.mark : undefined;
  guarded(path, () => {
    const change = profile === undefined ? undefined : (profileChange(profile.path, profile.line) ?? before?.profile);
    const facts: InstalledFacts = { profile: change };
    writeInstalled({ path, text: completionScripts[shell].text, comment, facts }, occupant);
    if (change !== undefined && change !== before?.profile) applyToProfile(change);
  });
  if (output.isJson) {
    output.document({ ok: true, shell, path, profile: profile?.path, hint: hints.join(' ') });
    return;
  }
  output.line(`${shell}: ${before === undefined ? 'written to' : 'written anew to'} ${safeLine(path)}`);
  if (profile !== undefined) output.line(`  and a line that loads it to ${safeLine(profile.path)}`);
  for (const hint of hints) output.line(`  ${safeLine(hint)}`);
}

function uninstall(shell: ShellName, { path }: ShellPlace, output: Output): void {
  const occupant = occupantOf<InstalledFacts>(path, comment);
  if (occupant.kind === 'foreign') throw foreign(path, shell);
  if (occupant.kind === 'ours') {
    const { folders, profile } = occupant.mark;
    guarded(path, () => {
      if (profile !== undefined) removeFromProfile(profile);
      removeWithFolders(path, folders);
    });
  }
  if (output.isJson) output.document({ ok: true, shell, path, removed: occupant.kind === 'ours' });
  else output.line(`${shell}: ${occupant.kind === 'ours' ? 'removed' : 'was not there'}: ${safeLine(path)}`);
}

function foreign(path: string, shell: ShellName): Failure {
  return new Failure('CONFLICT', `${path} is not as --install has written it: it is left as it is`, {
    hints: ['move it away, and try again', `or print the completions: shannon-dash completion ${shell}`],
  });
}
