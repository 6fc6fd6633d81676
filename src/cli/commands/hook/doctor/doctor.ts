import { codingAgents, type CodingAgent } from '../../../../adapters/coding-agents.ts';
import { safeLine } from '../../../../core/text/safe-text.ts';
import { exitCodes } from '../../../exit-codes.ts';
import { Failure } from '../../../failure.ts';
import type { Settings } from '../../../settings/settings.ts';
import type { Invocation } from '../../../invocation.ts';
import { installedHooks, scopesOf, titleOf } from '../agent-install.ts';
import type { HookOptions } from '../definition.ts';
import { claudeCodeFindings } from './claude-code-findings.ts';
import { codexFindings } from './codex-findings.ts';
import { entryFindings } from './entry-findings.ts';
import { problem, type Finding, type Patient } from './finding.ts';
import { serverFindings } from './server-findings.ts';
import { versionFindings } from './version-findings.ts';

const marks = { ok: 'ok       ', warning: 'warning  ', problem: 'PROBLEM  ' } as const;
const tones = { ok: 'good', warning: 'warn', problem: 'bad' } as const;

export interface HookReport {
  agent: CodingAgent;
  /** Null where the settings of the agent cannot be read. */
  path: string | null;
  findings: Finding[];
}

/**
 * Looks at all that would keep the hooks of an agent from working, and says what to do about it.
 * @param agent undefined: every agent that has hooks
 * @returns the exit code: `refused` where there is a problem
 */
export async function examine(agent: CodingAgent | undefined, { settings, output }: Invocation<HookOptions>): Promise<number> {
  const reports = await hookReports(agent === undefined ? codingAgents : [agent], settings);
  if (reports.length === 0) {
    throw new Failure('NOT_FOUND', `${agent === undefined ? 'no agent' : titleOf(agent)} has hooks of this program`, {
      hints: [`install them: shannon-dash hook install ${agent ?? 'AGENT'}`],
    });
  }
  const isIll = reports.some(({ findings }) => findings.some(({ state }) => state === 'problem'));
  if (output.isJson) {
    output.document({ ok: !isIll, agents: reports });
  } else {
    for (const { agent: name, path, findings } of reports) {
      output.line(`${titleOf(name)}${path === null ? '' : `: ${safeLine(path)}`}`);
      for (const { state, text, hint } of findings) {
        output.line(`  ${output.paint(tones[state], marks[state])}${safeLine(text, 1_000)}`);
        if (hint !== undefined) output.line(`           ${safeLine(hint, 1_000)}`);
      }
    }
  }
  return isIll ? exitCodes.refused : exitCodes.ok;
}

/** What there is to say of each place where agents have hooks of this program. */
export async function hookReports(agents: readonly CodingAgent[], settings: Settings): Promise<HookReport[]> {
  const reports: HookReport[] = [];
  for (const agent of agents) {
    for (const scope of scopesOf(agent)) {
      try {
        const installed = installedHooks(agent, scope);
        if (installed === undefined) continue;
        reports.push({ agent, path: installed.path, findings: await findingsOf({ agent, scope, settings, ...installed }) });
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        reports.push({ agent, path: null, findings: [problem(error.message, error.hints[0])] });
      }
    }
  }
  return reports;
}

async function findingsOf(patient: Patient): Promise<Finding[]> {
  return [
    ...entryFindings(patient),
    ...(await versionFindings(patient)),
    ...(patient.agent === 'claude-code' ? claudeCodeFindings(patient) : []),
    ...(patient.agent === 'codex' ? await codexFindings(patient) : []),
    ...(await serverFindings(patient)),
  ];
}
