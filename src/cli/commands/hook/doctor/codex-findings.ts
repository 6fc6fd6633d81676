import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { check } from '../../../../core/json/parse.ts';
import { version } from '../../../../executable/own-program.ts';
import { ok, problem, warning, type Finding, type Patient } from './finding.ts';

const answerMs = 15_000;

const listedHook = z.object({ sourcePath: z.string(), enabled: z.boolean(), trustStatus: z.string() });
const hooksAnswer = z.object({ id: z.literal(2), result: z.object({ data: z.array(z.object({ hooks: z.array(listedHook) })) }) });

/** Asks Codex itself which hooks it would run. */
export async function codexFindings({ path }: Patient): Promise<Finding[]> {
  const listed = await listedHooks();
  if (listed === undefined) return [warning('codex does not tell which hooks it trusts', 'start codex, and look: /hooks')];
  const own = listed.filter(({ sourcePath }) => sourcePath === path);
  if (own.length === 0)
    return [problem(`codex has read no hooks from ${path}`, 'those of a folder count once codex was told to trust the folder')];
  const unseen = own.filter(({ trustStatus }) => trustStatus !== 'trusted' && trustStatus !== 'managed').length;
  const off = own.filter(({ enabled }) => !enabled).length;
  const findings = [
    ...(unseen === 0
      ? []
      : [
          problem(
            `codex trusts ${own.length - unseen} of ${own.length} hooks, and skips the others`,
            'start codex, type /hooks, and trust them',
          ),
        ]),
    ...(off === 0
      ? []
      : [problem(`${off} of ${own.length} hooks are switched off in codex`, 'start codex, type /hooks, and switch them on')]),
  ];
  return findings.length > 0 ? findings : [ok(`codex trusts all ${own.length} hooks`)];
}

/** By `codex app-server`, which speaks JSON-RPC in lines. */
async function listedHooks(): Promise<z.output<typeof listedHook>[] | undefined> {
  const child = spawn('codex', ['app-server'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()).once('error', () => resolve()));
  const timer = setTimeout(() => child.kill('SIGKILL'), answerMs);
  child.stdin.on('error', () => undefined);
  const send = (message: object) => child.stdin.write(`${JSON.stringify(message)}\n`);
  send({ id: 1, method: 'initialize', params: { clientInfo: { name: 'shannon-dash', version }, capabilities: { experimentalApi: true } } });
  send({ method: 'initialized' });
  send({ id: 2, method: 'hooks/list', params: { cwds: [process.cwd()] } });
  try {
    for await (const line of createInterface(child.stdout)) {
      const { data } = check(hooksAnswer, jsonOf(line));
      if (data !== undefined) return data.result.data.flatMap(({ hooks }) => hooks);
    }
    return undefined;
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    await ended;
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
