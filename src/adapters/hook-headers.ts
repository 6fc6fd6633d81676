/** Headers of a hook's request, beside `Authorization`. An http hook fills them from its environment; an empty one counts as absent. */
export const hookHeaders = {
  /** SHANNON_DASH_SESSION: the session of the `run` that started the agent. Its events go into that session. */
  session: 'x-shannon-dash-session',
  /** SHANNON_DASH_RUN: the instance of that `run`, under which the agent is attached. */
  run: 'x-shannon-dash-run',
  /** The process id of the agent, from a hook that is a command started by it. By it the server knows when the agent is gone. */
  pid: 'x-shannon-dash-agent-pid',
  /** `git`: a checkpoint is taken before the first change of each prompt. */
  checkpoints: 'x-shannon-dash-checkpoints',
} as const;
