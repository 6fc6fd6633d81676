import { isCodingAgent, codingAgents, type CodingAgent } from '../../../adapters/coding-agents.ts';
import { sep } from 'node:path';
import { safeLine } from '../../../core/text/safe-text.ts';
import { ownCommand } from '../../../executable/own-program.ts';
import { usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import type { Output } from '../../terminal/output.ts';
import { installingHooks, nextStepsOf, titleOf, uninstallingHooks } from './agent-install.ts';
import type { HookChoice, HookScope } from './agents/hooked-agent.ts';
import type { HookAction, HookOptions } from './definition.ts';
import type { HooksChange } from './settings-file/hooks-change.ts';

/** Installs the hooks of an agent, removes them, tells where they are, or finds what keeps them from working. */
export async function hook(invocation: Invocation<HookOptions>): Promise<number | void> {
  const { args, options, settings, output } = invocation;
  const [action = '', given] = args;
  if (isCodingAgent(action))
    throw usageFailure(`hook ${action} reads what ${titleOf(action)} says from stdin`, `install it: shannon-dash hook install ${action}`);
  const agent = given as CodingAgent | undefined;
  checkOptions(action as HookAction, options);
  switch (action as HookAction) {
    case 'install': {
      const [file, words] = ownCommand();
      const choice: HookChoice = {
        url: settings.url,
        program: [file, ...words],
        isStrict: options.strict === true,
        checkpoints: options.checkpoints,
      };
      warnOfPassingCopy(choice.program, output);
      const change = installingHooks(named(agent, action), scopeOf(options), choice);
      return tell(change, { agent: named(agent, action), isInstall: true, isDry: options.dryRun === true }, output);
    }
    case 'uninstall': {
      const change = uninstallingHooks(named(agent, action), scopeOf(options));
      return tell(change, { agent: named(agent, action), isInstall: false, isDry: options.dryRun === true }, output);
    }
    case 'status': {
      const { showStatus } = await import('./status.ts');
      return showStatus(agent === undefined ? codingAgents : [agent], output);
    }
    case 'doctor': {
      const { examine } = await import('./doctor/doctor.ts');
      return examine(agent, invocation);
    }
  }
}

function named(agent: CodingAgent | undefined, action: string): CodingAgent {
  if (agent !== undefined) return agent;
  throw usageFailure(`hook ${action} needs the agent`, `name one: ${codingAgents.join(', ')}`);
}

function scopeOf({ project }: HookOptions): HookScope {
  return project === true ? 'project' : 'user';
}

/** @throws Failure an option that the action has no use for */
function checkOptions(action: HookAction, { project, user, strict, dryRun, checkpoints }: HookOptions): void {
  const isInstall = action === 'install';
  const changes = isInstall || action === 'uninstall';
  const refused = [
    !changes && project === true && '--project',
    !changes && user === true && '--user',
    !changes && dryRun === true && '--dry-run',
    !isInstall && strict === true && '--strict',
    !isInstall && checkpoints !== undefined && '--checkpoints',
  ].find((flag) => typeof flag === 'string');
  if (refused !== undefined) throw usageFailure(`${refused} does not go with hook ${action}`);
}

async function tell(
  change: HooksChange,
  { agent, isInstall, isDry }: { agent: CodingAgent; isInstall: boolean; isDry: boolean },
  output: Output,
): Promise<void> {
  const { path, before, after, make } = change;
  const diff = isDry ? await diffOf(path, before, after) : undefined;
  if (!isDry) make();
  if (output.isJson) {
    output.document({ ok: true, agent, path, changed: before !== after, dry_run: isDry, diff: diff?.join('\n') });
    return;
  }
  if (diff !== undefined) {
    for (const line of diff) output.line(safeLine(line, 4_000));
    if (diff.length === 0) output.line(`nothing to change: ${safeLine(path)}`);
    return;
  }
  output.line(`${titleOf(agent)}: ${deedOf(change, isInstall)} ${safeLine(path)}`);
  if (isInstall) for (const step of nextStepsOf(agent)) output.line(`  ${step}`);
}

/** A unified diff. */
async function diffOf(path: string, before: string | undefined, after: string | undefined): Promise<string[]> {
  if (before === after) return [];
  const { createTwoFilesPatch } = await import('diff');
  const [from, to] = [before === undefined ? '/dev/null' : path, after === undefined ? '/dev/null' : path];
  const lines = createTwoFilesPatch(from, to, before ?? '', after ?? '')
    .trimEnd()
    .split('\n');
  return lines.slice(lines.findIndex((line) => line.startsWith('--- ')));
}

/** What was done, as the words before the path. */
function deedOf({ before, after }: HooksChange, isInstall: boolean): string {
  if (isInstall) return before === undefined ? 'written to' : before === after ? 'stands already in' : 'added to';
  return before === after ? 'was not in' : after === undefined ? 'removed' : 'taken out of';
}

function warnOfPassingCopy(program: readonly string[], output: Output): void {
  if (program.some((word) => word.includes(`${sep}_npx${sep}`))) {
    output.warn("the hooks start the copy in npx's cache, which npm may remove: install the package, then the hooks again");
  }
}
