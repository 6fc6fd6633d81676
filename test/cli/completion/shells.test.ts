import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test, type TestContext } from 'vitest';
import type { ShellName } from '../../../src/cli/commands/completion/definition.ts';
import { signalTree } from '../../../src/run/tree/process-tree.ts';
import { WatchedProgram } from '../../dashboard/watched-program.ts';
import { installDebianPackages } from '../../helpers/debian-packages.ts';
import { http, startServer, type Json, type TestServer } from '../../helpers/start-server.ts';
import { callProgram } from '../called-program.ts';
import { newWork, until } from '../run-place.ts';
import { bin, nodePath } from '../started-program.ts';

/** What a shell cannot do without. */
const parts = {
  bash: '/usr/bin/bash',
  'bash-completion': '/usr/share/bash-completion/bash_completion',
  zsh: '/usr/bin/zsh',
  fish: '/usr/bin/fish',
};
let missing: string | undefined;

beforeAll(async () => {
  const absent = Object.entries(parts).filter(([, path]) => !existsSync(path));
  if (absent.length > 0) missing = await installDebianPackages(...absent.map(([name]) => name));
}, 800_000);

interface Shell {
  needs: readonly (keyof typeof parts)[];
  name: ShellName;
  /** Writes what the shell reads at its start. @returns how it is started */
  prepare: (home: string, installed: { path: string; hint: string }) => [string, ...string[]];
  /** How often Tab has to be pressed for a list. */
  tabsForList: number;
}

function bashWith(home: string, line: string): [string, ...string[]] {
  writeFileSync(join(home, 'bashrc'), `PS1='P> '\nbind 'set bell-style none'\n${line}\n`);
  return [parts.bash, '--noprofile', '--rcfile', join(home, 'bashrc'), '-i'];
}

const shells: Record<string, Shell> = {
  bash: { needs: ['bash'], name: 'bash', prepare: (home, { path }) => bashWith(home, `. ${path}`), tabsForList: 2 },
  'bash with bash-completion': {
    needs: ['bash', 'bash-completion'],
    name: 'bash',
    prepare: (home) => bashWith(home, `. ${parts['bash-completion']}`),
    tabsForList: 2,
  },
  zsh: {
    needs: ['zsh'],
    name: 'zsh',
    prepare(home, { hint }) {
      const line = /fpath=\(.*\)/.exec(hint)?.[0];
      writeFileSync(join(home, '.zshrc'), `PROMPT='P> '\nunsetopt beep\n${line}\nautoload -Uz compinit\ncompinit -u\n`);
      return [parts.zsh, '-i'];
    },
    tabsForList: 1,
  },
  fish: {
    needs: ['fish'],
    name: 'fish',
    prepare(home) {
      // What fish suggests from its history would look like what is completed.
      const lines = ['set -g fish_greeting', 'set -g fish_autosuggestion_enabled 0', 'function fish_prompt', '  echo -n "P> "', 'end', ''];
      writeFileSync(join(home, 'config', 'fish', 'config.fish'), lines.join('\n'));
      // Without this folder fish reads all manual pages of the machine, beside its terminal.
      mkdirSync(join(home, '.local', 'share', 'fish', 'generated_completions'), { recursive: true });
      return [parts.fish, '-i'];
    },
    tabsForList: 1,
  },
};

/** A shell on a terminal, in a folder of its own where `shannon-dash` is on the PATH. */
async function startShell({ name, prepare, needs }: Shell, url: string, context: TestContext) {
  const absent = needs.find((name) => !existsSync(parts[name]));
  if (absent !== undefined) return context.skip(missing ?? `no ${absent}`);
  const { env, folder, work } = newWork();
  const { stdout, code } = await callProgram(['completion', '--install', name, '--json'], { folder, env });
  expect(code).toBe(0);
  const command = prepare(folder, JSON.parse(stdout) as { path: string; hint: string });
  const texts = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const program = new WatchedProgram(['-c', 'cd "$0" && exec "$@"', work, ...command], {
    command: ['/bin/sh'],
    columns: 200,
    rows: 50,
    // A busy machine may take longer than a person would wait.
    environment: { ...texts, ZDOTDIR: folder, SHANNON_DASH_URL: url, SHANNON_DASH_COMPLETION_TIMEOUT: '30s' },
  });
  // The folder goes next: nothing that writes there may be left, and a shell starts programs that outlive it.
  onTestFinished(() =>
    until('the shell and all that it started are gone', async () => (await signalTree(program.pty.pid, 'SIGKILL')).pids.length === 0),
  );
  await program.shows(/^P> $/m);
  return { program, folder, work };
}

async function publish({ url }: TestServer, session: string, ...events: [type: string, data: Json][]): Promise<void> {
  const body = events.map(([type, data]) => ({ type, data }));
  expect((await http('POST', `${url}/api/sessions/${session}/events`, body)).status).toBe(200);
}

describe.each(Object.entries(shells))('%s', (_, shell) => {
  test('completes commands, flags, names with colons, and lists them with what they are', async (context) => {
    const server = await startServer();
    await publish(server, 'nightly', ['execution:started', { task: 'nightly build' }]);
    await publish(server, 'run:7:a', ['execution:started', { task: 'other' }], ['execution:completed', {}]);
    const { program } = await startShell(shell, server.url, context);
    const clear = () => program.type('\x15');
    program.type('shannon-dash send DEC\t');
    await program.shows(/^P> shannon-dash send DECISION $/m);
    program.type('--dec\t');
    await program.shows(/^P> shannon-dash send DECISION --decision $/m);
    clear();
    program.type(`shannon-dash watch ${'\t'.repeat(shell.tabsForList)}`);
    await program.shows(/nightly +(?:\(|-- )running, nightly build\)?/);
    await program.shows(/run:7:a +(?:\(|-- )completed, other\)?/);
    clear();
    program.type('shannon-dash watch run:7\t');
    await program.shows(/^P> shannon-dash watch run:7:a/m);
    clear();
    program.type('shannon-dash watch --until=de\t');
    await program.shows(/^P> shannon-dash watch --until=decision/m);
  });

  test('leaves files and other programs to the shell', async (context) => {
    const { program, work } = await startShell(shell, 'http://127.0.0.1:1', context);
    writeFileSync(join(work, 'a file'), '');
    mkdirSync(join(work, 'folder'));
    const shows = async (keys: string, line: RegExp) => {
      program.type(`\x15${keys}\t`);
      await program.shows(line);
    };
    await shows('shannon-dash stats --token-file a', /^P> shannon-dash stats --token-file a\\ file/m);
    await shows('shannon-dash serve --skills ', /^P> shannon-dash serve --skills folder\//m);
    await shows('shannon-dash run -s x -- mkfi', /^P> shannon-dash run -s x -- mkfifo/m);
    await shows('shannon-dash run -- cat a', /^P> shannon-dash run -- cat a\\ file/m);
    await shows('shannon-dash emit - < a', /^P> shannon-dash emit - < a\\ file/m);
    // Nothing answers, so nothing comes, and nothing is said.
    await shows('shannon-dash watch x', /^P> shannon-dash watch x *$/m);
    program.type('END');
    await program.shows(/^P> shannon-dash watch xEND *$/m);
    expect(program.text()).not.toMatch(/error|warning/i);
  });

  test('what it inserts is exactly the value, whatever it holds and in whichever quotes, and runs nothing', async (context) => {
    const names = [
      `;touch pwned;$(touch pwned)\`touch pwned\`!x: a "b" 'c' =b:c@d,e% {x,y} *?[z] ~ #^ \\ & | <touch> "`,
      `'touch' \\' 漢 字$HOME'`,
    ];
    // A letter of its own for each, so that one is enough to complete it.
    const asked = names
      .flatMap((name) => ['', '"', "'"].map((quote) => ({ name, quote })))
      .map(({ name, quote }, at) => {
        const letter = String.fromCharCode('A'.charCodeAt(0) + at);
        return { letter, quote, id: letter + name, choice: `${letter}.${name}` };
      });
    const server = await startServer();
    await publish(
      server,
      's:1',
      ...asked.map(({ id, choice }): [string, Json] => ['decision:point', { decision_id: id, question: '?', options: [choice, '-'] }]),
    );
    const { program, folder, work } = await startShell(shell, server.url, context);
    // What the line runs is not the matter, but what it is given: the words, each closed by a NUL.
    const given = join(folder, 'given');
    const answering = `[ "$1" = complete ] && exec "${nodePath}" "${bin}" "$@"`;
    writeFileSync(join(folder, 'bin', 'shannon-dash'), `#!/bin/sh\n${answering}\nprintf '%s\\0' "$@" > "${given}"\necho "GIV""EN"\n`);
    for (const [at, { letter, quote, id, choice }] of asked.entries()) {
      const session = at === 0 ? 's:\t' : 's:1 ';
      program.type(`shannon-dash send DECISION -s ${session}--decision ${quote}${letter}\t--choice ${quote}${letter}\t\r`);
      await program.until(
        () => program.text().includes('GIVEN'),
        20_000,
        () => `${id}: ${program.text()}`,
      );
      const words = readFileSync(given, 'utf8').split('\0').slice(0, -1);
      expect(words, program.text()).toEqual(['send', 'DECISION', '-s', 's:1', '--decision', id, '--choice', choice]);
      rmSync(given);
      program.type('clear\r');
      await program.until(
        () => !program.text().includes('GIVEN'),
        20_000,
        () => program.text(),
      );
    }
    expect(existsSync(join(work, 'pwned'))).toBe(false);
  });
});
