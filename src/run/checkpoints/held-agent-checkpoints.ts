import { readLiveRuns } from '../live-runs.ts';
import type { GitCheckpointsOptions } from './git-checkpoints.ts';
import { ProgramCheckpoints } from './program-checkpoints.ts';

/** The checkpoints of an agent that its hooks hold, in this process. @throws NoCheckpointsError the folder is not in a git work tree, or there is no git */
export function openHeldAgentCheckpoints(options: GitCheckpointsOptions): Promise<ProgramCheckpoints> {
  const othersIn = async (root: string) => (await readLiveRuns(options.stateFolder)).filter((each) => each.root === root);
  return ProgramCheckpoints.open(options, { othersIn, close: () => undefined });
}
