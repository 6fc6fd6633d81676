import { safeLine } from '../../core/text/safe-text.ts';

/** A value that a shell can insert, and what it is. */
export interface Candidate {
  value: string;
  description?: string | undefined;
}

const mostCandidates = 100;
const longestValue = 200;
const longestDescription = 80;

/**
 * Those that begin with what is typed; in whatever case where none does exactly.
 * @param before what of the word stands in front of the value: each candidate gets it again
 */
export function fitting(candidates: readonly Candidate[], word: string, before = ''): Candidate[] {
  const typed = word.slice(before.length);
  const exact = candidates.filter(({ value }) => value.startsWith(typed));
  const near = exact.length > 0 ? exact : candidates.filter(({ value }) => value.toLowerCase().startsWith(typed.toLowerCase()));
  const unique = [...new Map(near.map((each) => [each.value, each])).values()];
  return unique.slice(0, mostCandidates).map(({ value, description }) => ({
    value: before + value,
    description: description === undefined ? undefined : safeLine(description, longestDescription),
  }));
}

/**
 * Whether a value can be shown and inserted as it is. One with control characters cannot, nor a very long one; changed, each would be
 * another value. One that looks like a flag would be taken for one: whoever chose it could give the command a flag of its own.
 */
export function isInsertable({ value }: Candidate): boolean {
  return value !== '' && value.length <= longestValue && !value.startsWith('-') && safeLine(value) === value;
}
