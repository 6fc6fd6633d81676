import { ShannonDashError } from '../../core/protocol/errors.ts';
import { Redaction, type Finder } from '../../core/text/redaction.ts';

/** How many patterns there can be, how long one, and how many steps of a machine it may be made into. */
const [mostPatterns, patternChars, mostSteps] = [32, 500, 2_000];
/** How long the patterns may take of one second. Beyond that, a text is replaced as a whole. */
const budgetMs = 250;

/**
 * What is to be redacted. Patterns are regular expressions of RE2: matching takes time in proportion to the text, whatever the
 * pattern is. A project's file can name some, and whoever wrote it must not be able to hold the program up.
 * @throws ShannonDashError INVALID a pattern, and what is wrong with it
 */
export async function redactionOf({
  hasBuiltIn,
  patterns,
}: {
  hasBuiltIn: boolean;
  patterns: readonly string[];
}): Promise<Redaction | undefined> {
  const different = [...new Set(patterns)];
  if (different.length > mostPatterns) {
    throw new ShannonDashError(
      'INVALID',
      `redact: there can be ${mostPatterns} patterns, and these are ${different.length}; join some with |`,
    );
  }
  const redaction = new Redaction({ hasBuiltIn, finders: different.length === 0 ? [] : [await finderOf(different)] });
  return redaction.isOn ? redaction : undefined;
}

/** One finder for all patterns. Its module is loaded only where there are some. */
async function finderOf(patterns: readonly string[]): Promise<Finder> {
  const { RE2JS } = await import('re2js');
  const compiled = patterns.map((pattern) => {
    const wrong = (reason: string) => new ShannonDashError('INVALID', `redact: ${pattern.slice(0, patternChars)} ${reason}`);
    if (pattern.length > patternChars) throw wrong(`is longer than ${patternChars} characters`);
    let machine: InstanceType<typeof RE2JS>;
    try {
      machine = RE2JS.compile(pattern);
    } catch (error) {
      throw wrong(`is no regular expression of RE2: ${(error as Error).message.replace(/^error parsing regexp: /, '')}`);
    }
    if (machine.programSize() > mostSteps) throw wrong('is too large: repeat less');
    if (machine.matcher('').find()) throw wrong('matches nothing at all, that is, everywhere');
    return machine;
  });
  let second = 0;
  let spentMs = 0;
  return (text) => {
    const startedAt = performance.now();
    if (startedAt - second >= 1_000) [second, spentMs] = [startedAt, 0];
    if (spentMs > budgetMs) return [{ from: 0, to: text.length }];
    const found = compiled.flatMap((machine) => {
      const spans: { from: number; to: number }[] = [];
      if (!machine.test(text)) return spans;
      const matcher = machine.matcher(text);
      while (matcher.find()) if (matcher.end() > matcher.start()) spans.push({ from: matcher.start(), to: matcher.end() });
      return spans;
    });
    spentMs += performance.now() - startedAt;
    return found;
  };
}
