import { codingAgents } from '../../../adapters/coding-agents.ts';
import { cutText } from '../../../core/text/cut-text.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Invocation } from '../../invocation.ts';
import { hookReports, type HookReport } from '../hook/doctor/doctor.ts';
import { titleOf } from '../hook/agent-install.ts';
import { ok, type Finding } from '../hook/doctor/finding.ts';
import { clockFinding, gitFinding, nodeFinding, settingsFindings, terminalFinding } from './machine-findings.ts';
import { diskFinding, journalFinding, tokensFinding } from './journal-findings.ts';
import { serverFinding } from './server-finding.ts';
import { atOneServer } from '../../server-access/server-request.ts';

const marks = { ok: 'ok      ', warning: 'warning ', problem: 'PROBLEM ' } as const;
const tones = { ok: 'good', warning: 'warn', problem: 'bad' } as const;
/** Agents of which something is wrong that have lines of their own: all findings fit one screen. */
const mostAgents = 3;
const narrowest = 40;
/** Before the text of a finding. */
const indent = 19;

/** A finding, and what it is of. */
interface Found extends Finding {
  about: string;
}

/** Looks at what could be wrong on this machine. @returns the exit code: `refused` where there is a problem */
export async function doctor({ settings: given, output }: Invocation<object>): Promise<number> {
  const settings = await atOneServer(given);
  const { finding: server, health } = await serverFinding(settings);
  const [journal, git, hooks] = await Promise.all([
    journalFinding(settings, health !== undefined),
    gitFinding(),
    hookReports(codingAgents, settings),
  ]);
  const about = (name: string, ...findings: Finding[]): Found[] => findings.map((each) => ({ about: name, ...each }));
  const found = [
    ...about('node', nodeFinding()),
    ...about('settings', ...settingsFindings(settings)),
    ...about('server', server),
    ...about('clock', clockFinding(health)),
    ...about('journal', journal),
    ...about('disk', diskFinding(settings)),
    ...about('tokens', tokensFinding(settings)),
    ...about('terminal', terminalFinding()),
    ...about('git', git),
    ...about('hooks', ...hookFindings(hooks)),
  ];
  const isIll = found.some(({ state }) => state === 'problem');
  if (output.isJson) {
    output.document({ ok: !isIll, findings: found.map(({ hint, ...each }) => ({ ...each, next: hint ?? null })) });
    return isIll ? exitCodes.refused : exitCodes.ok;
  }
  const width = output.isTerminal ? Math.max(narrowest, process.stdout.columns) : 1_000;
  for (const { about: name, state, text, hint } of found) {
    output.line(`${output.paint(tones[state], marks[state])} ${name.padEnd(10)}${fitted(text, width - indent)}`);
    if (hint !== undefined) output.line(`${' '.repeat(indent)}${fitted(`-> ${hint}`, width - indent)}`);
  }
  return isIll ? exitCodes.refused : exitCodes.ok;
}

/** A line each for those of which something is wrong, and one for the others. */
function hookFindings(reports: readonly HookReport[]): Finding[] {
  if (reports.length === 0) return [ok('no coding agent has hooks of this program')];
  const ill = reports.flatMap(({ agent, findings }) => {
    const worst = findings.find(({ state }) => state === 'problem') ?? findings.find(({ state }) => state === 'warning');
    return worst === undefined
      ? []
      : [{ ...worst, text: `${titleOf(agent)}: ${worst.text}`, hint: `see: shannon-dash hook doctor ${agent}` }];
  });
  const well = reports.length - ill.length;
  const told = ill.toSorted((a, b) => Number(b.state === 'problem') - Number(a.state === 'problem'));
  return [
    ...told.slice(0, mostAgents),
    ...told
      .slice(mostAgents, mostAgents + 1)
      .map((each) => ({ ...each, text: `and ${told.length - mostAgents} more`, hint: 'see: shannon-dash hook doctor' })),
    ...(well > 0 ? [ok(`in ${well} ${well === 1 ? 'place' : 'places'} the hooks of coding agents work`)] : []),
  ];
}

function fitted(text: string, width: number): string {
  const line = safeLine(text, 1_000);
  return line.length <= width ? line : `${cutText(line, width - 1)}…`;
}
