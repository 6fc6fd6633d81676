import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { quotedForBash } from '../../completion/bash-line.ts';
import { Failure } from '../../failure.ts';
import { userFolders, xdgFolder } from '../../settings/user-folders.ts';
import type { ShellName } from './definition.ts';

/** Where a shell looks for its completions, for this user alone. */
export interface ShellPlace {
  path: string;
  /** A line that the shell's profile needs. */
  profile?: { path: string; line: string };
  /** What has to be there for the shell to find them, and what to do where it is not. */
  hints: readonly string[];
}

/** @throws Failure the place is not known */
export function placeFor(shell: ShellName): ShellPlace {
  const data = xdgFolder('XDG_DATA_HOME', '.local', 'share');
  const config = xdgFolder('XDG_CONFIG_HOME', '.config');
  switch (shell) {
    case 'bash': {
      const [folder = join(data, 'bash-completion')] = (process.env['BASH_COMPLETION_USER_DIR'] ?? '')
        .split(':')
        .filter((each) => each !== '');
      const path = join(folder, 'completions', 'shannon-dash');
      return {
        path,
        hints: [
          'a new bash with the package bash-completion loads it by itself;',
          `without that package, in ~/.bashrc:  . ${quotedForBash(path, '')}`,
        ],
      };
    }
    case 'fish':
      return { path: join(config, 'fish', 'completions', 'shannon-dash.fish'), hints: ['fish loads it by itself'] };
    case 'zsh': {
      // No folder of a user's own is in `fpath` by itself, and only the user knows where ~/.zshrc calls compinit.
      const path = join(data, 'zsh', 'site-functions', '_shannon-dash');
      return {
        path,
        hints: [
          'zsh finds it once this stands in ~/.zshrc, before compinit or what calls it:',
          `  fpath=(${quotedForBash(dirname(path), '')} $fpath)`,
          'and, if nothing there calls it:  autoload -Uz compinit && compinit',
        ],
      };
    }
    case 'powershell': {
      const path = join(userFolders().data, 'shannon-dash.ps1');
      const quoted = `'${path.replaceAll(/['\u2018-\u201b]/g, '$&$&')}'`;
      const line = `if (Test-Path -LiteralPath ${quoted}) { . ${quoted} }`;
      return { path, profile: { path: profileOfPowerShell(config, line), line }, hints: ['a new PowerShell loads it'] };
    }
  }
}

/** On Windows it lies in a folder that can be anywhere, so PowerShell is asked. */
function profileOfPowerShell(config: string, line: string): string {
  if (process.platform !== 'win32') return join(config, 'powershell', 'profile.ps1');
  for (const program of ['pwsh', 'powershell']) {
    try {
      const path = execFileSync(program, ['-NoProfile', '-NonInteractive', '-Command', '$PROFILE.CurrentUserAllHosts'], {
        encoding: 'utf8',
      }).trim();
      if (path !== '') return path;
    } catch {
      // The next one.
    }
  }
  throw new Failure('NOT_FOUND', 'PowerShell does not say where its profile is', { hints: [`add to it: ${line}`] });
}
