import type { CodingAgent } from '../../../adapters/coding-agents.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import type { Output } from '../../terminal/output.ts';
import { installedHooks, scopesOf, titleOf } from './agent-install.ts';

/** Says for each agent where its hooks stand. @throws Failure settings that the agent cannot read */
export function showStatus(agents: readonly CodingAgent[], output: Output): void {
  const rows = agents.map((agent) => ({
    agent,
    installed: scopesOf(agent).flatMap((scope) => {
      const installed = installedHooks(agent, scope);
      return installed === undefined ? [] : [{ scope, path: installed.path, hooks: installed.hooks.length }];
    }),
  }));
  if (output.isJson) {
    output.document({ agents: rows });
    return;
  }
  for (const { agent, installed } of rows) {
    if (installed.length === 0) output.line(`${titleOf(agent)}: not installed`);
    for (const { scope, path } of installed) output.line(`${titleOf(agent)}: installed for this ${scope}, in ${safeLine(path)}`);
  }
}
