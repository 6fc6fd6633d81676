import type { SkillUsage } from '../skills/skill-list.ts';
import type { SessionStore } from './session-store.ts';
import { brief } from './stored-session.ts';

/** The runs of each skill over the sessions that count, by the name of the skill. */
export function usageOfSkills(store: SessionStore, counts: (sessionId: string) => boolean): ReadonlyMap<string, SkillUsage> {
  const total = new Map<string, SkillUsage>();
  for (const session of store.all()) {
    if (!counts(session.head.session_id)) continue;
    for (const { skill_name, ...usage } of brief(session).skill_usage) {
      const sum = total.get(skill_name) ?? { started: 0, completed: 0, failed: 0, duration_s: 0, durations: 0 };
      for (const key of ['started', 'completed', 'failed', 'duration_s', 'durations'] as const) sum[key] += usage[key];
      total.set(skill_name, sum);
    }
  }
  return total;
}
