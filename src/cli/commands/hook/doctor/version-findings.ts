import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { hookedAgents } from '../agents/hooked-agents.ts';
import { openCode } from '../agents/opencode.ts';
import { ok, problem, warning, type Finding, type Patient } from './finding.ts';

const answerMs = 10_000;

/** Asks the agent for its version. */
export async function versionFindings({ agent, hooks }: Patient): Promise<Finding[]> {
  const { program, title, oldest } = agent === 'opencode' ? openCode : hookedAgents[agent];
  const version = await versionOf(program);
  if (version === undefined) return [warning(`${program} does not tell its version: is it installed, and in PATH?`)];
  if (isOlder(version, oldest.hooks)) {
    return [problem(`${title} is ${version}: it runs such hooks from ${oldest.hooks} on`, `update ${title}`)];
  }
  const isStrict = hooks.some((each) => each['onFailure'] === 'block');
  if (isStrict && isOlder(version, oldest.strict)) {
    return [
      problem(`${title} is ${version}: it knows strict hooks from ${oldest.strict} on, and takes these as others`, `update ${title}`),
    ];
  }
  return [ok(`${title} is ${version}`)];
}

async function versionOf(program: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: answerMs, maxBuffer: 64 * 1024 });
    return /\d+\.\d+(?:\.\d+)?/.exec(stdout)?.[0];
  } catch {
    return undefined;
  }
}

/** @param oldest undefined: any will do */
function isOlder(version: string, oldest: string | undefined): boolean {
  return oldest !== undefined && version.localeCompare(oldest, 'en', { numeric: true }) < 0;
}
