import { collect, option, type Program } from '../../program.ts';

export interface ServeOptions {
  acceptLoss?: boolean;
  reload?: boolean;
  /** As `run` starts it: it ends by itself, nobody reads what it says, and a journal that lost something is opened all the same. */
  untilUnused?: boolean;
}

/** `serve`: the server. */
export function registerServe(program: Program): void {
  program.add<ServeOptions>({
    usage: 'serve',
    summary: 'Start the server that keeps the journal and tells everybody',
    examples: ['serve', 'serve --port 0 --journal memory --json', 'serve --skills ./skills --reload'],
    options: [
      option('--host <address>', 'where to listen (127.0.0.1)'),
      option('--port <number>', 'the port (8000); 0 takes any free one'),
      option('--journal <path>', 'the journal file, or: memory'),
      option('--fsync', 'keep each commit over a power failure too'),
      option('--accept-loss', 'start although the journal has lost something'),
      option('--skills <folder>', 'a further folder of skills (repeatable)', collect),
      option('--cors-origin <origin>', 'a web page that may call; * for any (repeatable)', collect),
      option('--allowed-host <host>', 'a further name for it; * for any (repeatable)', collect),
      option('--dev-origins', 'let pages on localhost:3000 and :5173 call').hideHelp(),
      option('--no-dev-origins', 'let no page on localhost:3000 and :5173 call'),
      option('--lost-after <time>', 'when a session that is silent is lost (5m)'),
      option('--log-level <level>', 'debug, info, warn (warning) or error'),
      option('--reload', 'restart on changes of program, configuration or skills'),
      option('--until-unused', 'end when nobody is connected any more').hideHelp(),
    ],
    notes: ['', 'Each also as SHANNON_DASH_PORT=9000 or {"port": 9000} in .shannon-dash.json.'],
    // The process that serves says it, after each restart.
    asksForTrust: ({ reload }) => reload !== true,
    run: async (invocation) => {
      if (invocation.options.reload === true) {
        const { serveReloading } = await import('./reloading.ts');
        return serveReloading(invocation);
      }
      const { serve } = await import('./serving.ts');
      return serve(invocation);
    },
  });
}
