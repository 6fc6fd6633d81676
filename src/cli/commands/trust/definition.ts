import { option, type Invocation, type Program } from '../../program.ts';

interface TrustOptions {
  list?: boolean;
  revoke?: boolean;
}

/** `trust`: whether the project's file may say where to go and what to open. */
export function registerTrust(program: Program): void {
  program.add<TrustOptions>({
    usage: 'trust',
    summary: "Use all settings of this project's .shannon-dash.json",
    examples: ['trust', 'trust --list', 'trust --revoke'],
    options: [option('--list', 'the files that are trusted'), option('--revoke', 'trust the file of this project no more')],
    notes: [
      '',
      'Such a file comes with a project, so with whatever was cloned. Until you trust',
      'it, settings that say where to connect, listen, write or read are left out.',
      'Trust holds for what the file says now: a change takes it away.',
    ],
    asksForTrust: () => false,
    run: trustProject,
  });
}

async function trustProject({ options, output }: Invocation<TrustOptions>): Promise<void> {
  const [{ isTrusted, revokeTrust, trust, trustedFiles }, { findProjectFile, projectFileName }, { Failure }, { safeLine }] =
    await Promise.all([
      import('../../settings/project-trust.ts'),
      import('../../settings/project-file.ts'),
      import('../../failure.ts'),
      import('../../../core/text/safe-text.ts'),
    ]);
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
  const { configurationOf } = await import('../../settings/setting-layers.ts');
  const { maskPasswords } = await import('../../../core/text/mask-passwords.ts');
  const settings = configurationOf(path, bytes);
  if (output.isJson) {
    output.document({ ok: true, path, trusted: true, settings: Object.keys(settings) });
    return;
  }
  output.line(`${wasTrusted ? 'trusted already' : 'trusted as it is now'}: ${safeLine(path)}`);
  for (const [name, value] of Object.entries(settings))
    output.line(`  ${safeLine(name, 40)}: ${safeLine(maskPasswords(JSON.stringify(value)), 200)}`);
}
