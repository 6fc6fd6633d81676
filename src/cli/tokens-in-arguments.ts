import { tokenPattern } from '../core/text/token-pattern.ts';
import { usageFailure } from './failure.ts';

/**
 * Refuses a token among the arguments, wherever it stands: every user of the machine reads them in the list of processes, and what an
 * event holds is journalled. What stands behind `--` is of the program that `run` starts.
 * @param words the arguments behind the program's name
 * @throws Failure
 */
export function refuseTokens(words: readonly string[]): void {
  const end = words.indexOf('--');
  if ((end === -1 ? words : words.slice(0, end)).every((word) => word.search(tokenPattern) === -1)) return;
  throw usageFailure(
    'an argument holds a token, and every user of this machine can read arguments',
    'give it by a file, or by the environment: --token-file FILE   (SHANNON_DASH_TOKEN)',
    'have this one replaced: shannon-dash token rotate NAME',
  );
}
