import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { powershellScript } from './powershell.ts';
import { zshScript } from './zsh.ts';
import type { ShellName } from '../definition.ts';

/** A shell's completions: what it reads, and the name of the file in `completions/`. */
export interface CompletionScript {
  text: string;
  fileName: string;
}

/** What each shell reads. They hold no list of commands: they ask the program, which answers from the definitions of its commands. */
export const completionScripts: Readonly<Record<ShellName, CompletionScript>> = {
  bash: { text: bashScript, fileName: 'shannon-dash.bash' },
  zsh: { text: zshScript, fileName: '_shannon-dash' },
  fish: { text: fishScript, fileName: 'shannon-dash.fish' },
  powershell: { text: powershellScript, fileName: 'shannon-dash.ps1' },
};
