import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `serve` that are no settings. */
export interface ServeOptions {
  acceptLoss?: boolean;
  reload?: boolean;
  /** As `run` starts it: the server ends by itself, no person reads its output, and it opens also a journal that has lost something. */
  untilUnused?: boolean;
}

/** `serve`: the server. */
export const serveDefinition: CommandDefinition = {
  name: 'serve',
  summary: 'Start the server that keeps the journal and tells everybody',
  examples: ['serve --port 0 --journal memory --json', 'serve --skills ./skills --reload'],
  options: [
    { flags: '--host <address>', summary: 'where to listen (127.0.0.1)', kind: 'text' },
    { flags: '--port <number>', summary: 'the port (8000); 0 takes any free one', kind: 'text' },
    { flags: '--journal <path>', summary: 'the journal file, postgres://..., or: memory', kind: 'file', suggestions: ['memory'] },
    { flags: '--fsync', summary: 'keep each commit over a power failure too' },
    { flags: '--accept-loss', summary: 'start although the journal has lost something' },
    { flags: '--skills <folder>', summary: 'a further folder of skills (repeatable)', kind: 'folder', isRepeatable: true },
    {
      flags: '--cors-origin <origin>',
      summary: 'a web page that may call; * for any (repeatable)',
      kind: 'text',
      isRepeatable: true,
    },
    { flags: '--allowed-host <host>', summary: 'a further name for it; * for any (repeatable)', kind: 'text', isRepeatable: true },
    { flags: '--public-url <url>', summary: 'how browsers reach it, as https://dash.example', kind: 'url' },
    {
      flags: '--trust-proxy <network>',
      summary: 'believe this proxy who calls by it (repeatable)',
      kind: 'text',
      isRepeatable: true,
      isRare: true,
    },
    { flags: '--dev-origins', summary: 'let pages on localhost:3000 and :5173 call', isHidden: true },
    { flags: '--no-dev-origins', summary: 'let no page on localhost:3000 and :5173 call' },
    { flags: '--auth', summary: 'ask your own programs on this machine for a token too' },
    { flags: '--jwks-url <url>', summary: 'take tokens of the identity provider whose keys are there', kind: 'url', isRare: true },
    { flags: '--issuer <name>', summary: 'the name of that provider, as its tokens say it', kind: 'text', isRare: true },
    { flags: '--audience <name>', summary: 'for whom its tokens must be', kind: 'text', isRare: true },
    {
      flags: '--claim <field=claim>',
      summary: 'which claim says name, role, steer, sessions, tenant (repeatable)',
      kind: 'text',
      isRepeatable: true,
      isRare: true,
    },
    { flags: '--otlp <url>', summary: 'send sessions as traces to this OpenTelemetry receiver', kind: 'url', isRare: true },
    { flags: '--lost-after <time>', summary: 'when a session that is silent is lost (5m)', kind: 'duration' },
    { flags: '--retain <time>', summary: 'remove sessions so long after their end', kind: 'duration', isRare: true },
    {
      flags: '--retain-events <count>',
      summary: 'keep so many of the newest events of each ended session',
      kind: 'whole-number',
      isRare: true,
    },
    { flags: '--retain-size <size>', summary: 'remove the oldest ended sessions beyond this size (2GB)', kind: 'text', isRare: true },
    {
      flags: '--log-level <level>',
      summary: 'debug, info, warn (warning) or error',
      kind: 'text',
      suggestions: ['debug', 'info', 'warn', 'error'],
    },
    { flags: '--reload', summary: 'restart on changes of program, configuration or skills' },
    { flags: '--until-unused', summary: 'end when nobody is connected any more', isHidden: true },
  ],
  notes: [
    'In the manual: --retain (age, events, size), --trust-proxy, --jwks-url, --otlp',
    'Each also as SHANNON_DASH_PORT=9000 or {"port": 9000} in .shannon-dash.json.',
  ],
  // With --reload the process that serves warns, after each restart.
  warnsOfTrust: { unless: 'reload' },
};
