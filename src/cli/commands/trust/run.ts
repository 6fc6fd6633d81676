import { maskPasswords } from '../../../core/text/mask-passwords.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { Failure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { findProjectFile, projectFileName } from '../../settings/project-file.ts';
import { isTrusted, revokeTrust, trust, trustedFiles } from '../../settings/project-trust.ts';
import { configurationOf } from '../../settings/given-settings.ts';
import type { TrustOptions } from './definition.ts';

/** Trusts the project's file as it is now, takes that back, or lists the files that are trusted. */
export async function trustProject({ options, output }: Invocation<TrustOptions>): Promise<void> {
  if (options.list === true) {
    const trusted = trustedFiles();
    if (output.isJson) output.document({ trusted: trusted.map(({ path, isUnchanged }) => ({ path, unchanged: isUnchanged })) });
    else if (trusted.length === 0) output.note('no file is trusted');
    else for (const { path, isUnchanged } of trusted) output.line(`${safeLine(path)}${isUnchanged ? '' : '  changed since: not used'}`);
    return;
  }
  const file = findProjectFile(process.cwd());
  if (file === undefined)
    throw new Failure('NOT_FOUND', `there is no ${projectFileName} here or above`, { hints: ['all: shannon-dash trust --list'] });
  const { path, bytes, refused } = file;
  if (bytes === undefined) throw new Failure('FORBIDDEN', `${path} is not read: ${refused}`, { hints: ['make it a file of your own'] });
  if (options.revoke === true) {
    const wasTrusted = revokeTrust(path);
    if (output.isJson) output.document({ ok: true, path, trusted: false });
    else output.line(`${wasTrusted ? 'no longer trusted' : 'was not trusted'}: ${safeLine(path)}`);
    return;
  }
  const wasTrusted = isTrusted({ path, bytes });
  if (!wasTrusted) trust({ path, bytes });
  const settings = configurationOf(path, bytes);
  if (output.isJson) {
    output.document({ ok: true, path, trusted: true, settings: Object.keys(settings) });
    return;
  }
  output.line(`${wasTrusted ? 'trusted already' : 'trusted as it is now'}: ${safeLine(path)}`);
  for (const [name, value] of Object.entries(settings))
    output.line(`  ${safeLine(name, 40)}: ${safeLine(maskPasswords(JSON.stringify(value)), 200)}`);
}
