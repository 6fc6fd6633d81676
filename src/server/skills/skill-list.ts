import type { Skill } from './skill-file.ts';

/** Runs of one skill, as the sessions' states count them. */
export interface SkillUsage {
  started: number;
  completed: number;
  failed: number;
  /** Seconds, over the completed runs that said how long they took. */
  duration_s: number;
  /** How many of those there are. */
  durations: number;
}

/** A skill with what is known of its runs. */
export interface ListedSkill extends Skill {
  /** Runs started, or ended if there are more of those. */
  usage_count: number;
  /** 0 to 1: completed runs among the ended ones; null if none ended. */
  success_rate: number | null;
  /** Seconds; null if no run said how long it took. */
  avg_duration: number | null;
}

/** Each given field narrows the list; an empty text does not. Case does not matter. */
export interface SkillFilter {
  category?: string | undefined;
  domain?: string | undefined;
  /** One tag, whole. */
  tag?: string | undefined;
  /** Part of the name, the description or a tag. */
  q?: string | undefined;
}

/** Whether a skill passes every given filter. */
export function matchesSkill(skill: Skill, filter: SkillFilter): boolean {
  const same = (wanted: string | undefined, values: readonly (string | undefined)[]): boolean =>
    !wanted || values.some((value) => value?.toLowerCase() === wanted.toLowerCase());
  const part = filter.q?.toLowerCase() ?? '';
  return (
    same(filter.category, [skill.category]) &&
    // A tag names a domain too: few skills have the field.
    same(filter.domain, [skill.domain, ...skill.tags]) &&
    same(filter.tag, skill.tags) &&
    [skill.name, skill.description, ...skill.tags].some((text) => text.toLowerCase().includes(part))
  );
}

/** A copy of a skill with the figures of its runs; without usage, those of a skill that never ran. */
export function withFigures(skill: Skill, usage: ReadonlyMap<string, SkillUsage> | undefined): ListedSkill {
  const { started = 0, completed = 0, failed = 0, duration_s = 0, durations = 0 } = usage?.get(skill.name) ?? {};
  const ended = completed + failed;
  return {
    ...skill,
    usage_count: Math.max(started, ended),
    success_rate: ended === 0 ? null : completed / ended,
    avg_duration: durations === 0 ? null : duration_s / durations,
  };
}
