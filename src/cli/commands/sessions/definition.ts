import { option, wholeNumber, type Program } from '../../program.ts';

interface SessionsOptions {
  live?: boolean;
  limit?: number;
}

/** `sessions`: what there is to watch. */
export function registerSessions(program: Program): void {
  program.add<SessionsOptions>({
    usage: 'sessions',
    summary: 'List the sessions, those that changed last first',
    examples: ['sessions', 'sessions --live', "sessions --json | jq -r '.sessions[].session_id'"],
    options: [option('--live', 'only those that have not ended'), option('--limit <count>', 'at most so many (20)', wholeNumber)],
    run: async ({ options, settings, output }) => {
      const [{ byChange }, { request, serverNowMs }, { isLive }, { sessionTable }] = await Promise.all([
        import('../../server-access/live-sessions.ts'),
        import('../../server-access/server-request.ts'),
        import('../../../core/protocol/session-state.ts'),
        import('../../terminal/session-table.ts'),
      ]);
      const answer = await request(settings, 'sessions', {});
      const all = answer.sessions;
      const found = (options.live === true ? all.filter(({ status }) => isLive(status)) : all).toSorted(byChange);
      const sessions = found.slice(0, options.limit ?? 20);
      if (output.isJson) {
        output.document({ sessions, total: found.length });
        return;
      }
      if (found.length === 0) output.note('no sessions yet; start one: shannon-dash run -- COMMAND');
      else for (const line of sessionTable(sessions, serverNowMs(answer), output)) output.line(line);
      if (found.length > sessions.length) output.note(`and ${found.length - sessions.length} more: --limit ${found.length}`);
    },
  });
}
