import type { Journal } from '../../journal/journal.ts';
import type { AccessChecks } from '../access/access-checks.ts';
import type { PrincipalLimits } from '../access/limits/principal-limits.ts';
import type { DecisionLinks } from '../access/decision-links.ts';
import type { ChildTokens } from '../access/tokens/child-tokens.ts';
import type { CommandLedger } from '../commands/command-ledger.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { EventIntake } from '../sessions/event-intake.ts';
import type { Hub } from '../sessions/watching/hub.ts';
import type { LostSessions } from '../sessions/lost-sessions.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { SkillRegistry } from '../skills/skill-registry.ts';

/** The parts of a workspace. `WorkspaceAccess` works with them; no edge of the server gets them. */
export interface WorkspaceParts {
  journal: Journal;
  store: SessionStore;
  hub: Hub;
  lost: LostSessions;
  ledger: CommandLedger;
  intake: EventIntake;
  links: DecisionLinks;
  childTokens: ChildTokens;
  asksEverybody: boolean;
  skills: SkillRegistry;
  metrics: Metrics;
  /** The Socket.IO clients that have joined. */
  clients: { count: number };
  checks: AccessChecks;
  limits: PrincipalLimits;
}
