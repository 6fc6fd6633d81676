import { z } from 'zod';
import { check } from '../../core/json/parse.ts';

/** A rule that Claude Code suggests: what the choice "don't ask again" of its own dialogue would do. */
const suggestion = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('addRules'),
    behavior: z.literal('allow'),
    rules: z.array(z.object({ toolName: z.string(), ruleContent: z.string().optional() })),
  }),
  z.object({ type: z.literal('addDirectories'), directories: z.array(z.string()) }),
  z.object({ type: z.literal('setMode'), mode: z.enum(['acceptEdits', 'plan', 'default', 'auto']) }),
]);

/**
 * The suggestions that "always" stands for, as they came: rules and folders. Another mode, which allows far more, only where nothing else
 * is suggested.
 */
export function allowingRules(suggestions: readonly object[]): object[] {
  const known = suggestions.filter((each) => check(suggestion, each).success);
  const narrow = known.filter((each) => !('type' in each && each.type === 'setMode'));
  return narrow.length > 0 ? narrow : known;
}

/** What the suggestions would allow, in words; null where there is none. */
export function ruleInWords(suggestions: readonly object[]): string | null {
  const words = allowingRules(suggestions).flatMap((each) => {
    const { data } = check(suggestion, each);
    if (data === undefined) return [];
    if (data.type === 'setMode') return [`the mode ${data.mode}`];
    if (data.type === 'addDirectories') return data.directories.map((folder) => `the folder ${folder}`);
    return data.rules.map(({ toolName, ruleContent }) => (ruleContent === undefined ? toolName : `${toolName}(${ruleContent})`));
  });
  return words.length === 0 ? null : words.join(', ');
}
