import { foldLimits } from '../protocol/limits.ts';
import { inFewBuckets } from './lengths.ts';
import { others, type DayRollup, type Ends, type Used } from './rollup.ts';

/** The lengths that an older day tells apart where there is too much of all days. */
const fewLengths = 16;

/** The days without the names of the older ones, as far as there is too much of all together. */
export function bounded(days: readonly DayRollup[]): DayRollup[] {
  let entries = 0;
  const fits = (day: DayRollup) => (entries += entriesOf(day)) <= foldLimits.rollupEntries;
  return days
    .toReversed()
    .map((day, at) => (fits(day) || at === 0 ? day : withoutNames(day)))
    .toReversed();
}

function entriesOf({ lengths, decision_lengths, commands, skills, roles, models }: DayRollup): number {
  const ofEnds = (items: readonly Ends[]) => items.reduce((sum, item) => sum + 1 + item.lengths.length, 0);
  return lengths.length + decision_lengths.length + commands.length + models.length + ofEnds(skills) + ofEnds(roles);
}

function withoutNames(day: DayRollup): DayRollup {
  return {
    ...day,
    lengths: inFewBuckets(day.lengths, fewLengths),
    decision_lengths: inFewBuckets(day.decision_lengths, fewLengths),
    skills: asOthers(day.skills, allEnds),
    roles: asOthers(day.roles, allEnds),
    models: asOthers(day.models, allUsed),
  };
}

/** One item for all; none for none. */
function asOthers<Item>(items: readonly Item[], all: (items: readonly Item[]) => Item): Item[] {
  return items.length === 0 ? [] : [all(items)];
}

function allEnds(items: readonly Ends[]): Ends & { name: string } {
  const counts = new Map<number, number>();
  for (const [bucket = 0, count = 0] of items.flatMap(({ lengths }) => lengths)) counts.set(bucket, (counts.get(bucket) ?? 0) + count);
  const total = (field: 'completed' | 'failed') => items.reduce((sum, item) => sum + item[field], 0);
  return { name: others, completed: total('completed'), failed: total('failed'), lengths: inFewBuckets([...counts], fewLengths) };
}

function allUsed(items: readonly Used[]): Used & { name: string } {
  const total = (field: keyof Used) => items.reduce((sum, item) => sum + item[field], 0);
  return { name: others, input_tokens: total('input_tokens'), output_tokens: total('output_tokens'), cost_usd: total('cost_usd') };
}
