import type { OptionDefinition } from './command-definition.ts';

/** Every command takes these, before or after its name; the help of the program alone lists them. */
export const globalDefinitions: readonly OptionDefinition[] = [
  { flags: '--url <url>', summary: 'the server; several with commas (http://127.0.0.1:8000)', kind: 'url' },
  { flags: '--token-file <file>', summary: 'a file that holds the token', kind: 'file' },
  { flags: '--timeout <time>', summary: 'how long to wait: 500ms, 5s, 5m', kind: 'duration' },
  { flags: '--json', summary: 'JSON on stdout, errors as JSON on stderr' },
  { flags: '--no-color', summary: 'no colours' },
  { flags: '-q, --quiet', summary: 'results and errors only' },
  { flags: '-v, --verbose', summary: 'say more; stack traces of errors' },
];
