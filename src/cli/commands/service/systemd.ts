import { join } from 'node:path';
import { xdgFolder } from '../../settings/user-folders.ts';
import type { ServerStart, ServiceManager } from './service-manager.ts';

const unit = 'shannon-dash.service';
const systemctl = (...args: string[]) => ({ command: ['systemctl', '--user', ...args] as [string, ...string[]] });

/** systemd, which runs services of a user beside those of the system. */
export function systemd(): ServiceManager {
  const folder = join(xdgFolder('XDG_CONFIG_HOME', '.config'), 'systemd', 'user');
  return {
    name: 'systemd',
    path: join(folder, unit),
    text: unitText,
    comment: { start: '# shannon-dash service install: ' },
    starting: [systemctl('daemon-reload'), systemctl('enable', unit), systemctl('restart', unit)],
    stopping: [systemctl('disable', '--now', unit)],
    forget: { commands: [systemctl('daemon-reload')], links: [join(folder, 'default.target.wants', unit)] },
    asking: systemctl('show', '--property=ActiveState', '--property=LoadState', unit),
    stateIn: (answer) => (/^LoadState=not-found$/m.test(answer) ? undefined : /^ActiveState=(.+)$/m.exec(answer)?.[1]),
    up: 'active',
    nextStep: 'systemctl --user daemon-reload && systemctl --user enable --now shannon-dash',
    hints: ['its log:                 journalctl --user -u shannon-dash -f', 'up while you are logged out: loginctl enable-linger'],
  };
}

/**
 * The unit. What hardens it works in a user's own manager and with V8, which writes code as it runs. A refused flag is no reason to
 * start again; all else is.
 */
function unitText({ command: [file, ...args], environment, home }: ServerStart): string {
  const variables = Object.entries(environment).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}\n`);
  return `[Unit]
Description=shannon-dash server

[Service]
Type=exec
ExecStart=${[quoted(file), ...args.map((each) => quoted(each).replaceAll('$', '$$$$'))].join(' ')}
${variables.join('')}WorkingDirectory=${home.replaceAll('%', '%%')}
Restart=always
RestartSec=2
RestartPreventExitStatus=2
KillMode=mixed
TimeoutStopSec=10
SyslogIdentifier=shannon-dash
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native

[Install]
WantedBy=default.target
`;
}

/** One word, whatever is in it: systemd.syntax(7), "Quoting", and systemd.unit(5), "Specifiers". */
function quoted(word: string): string {
  return `"${word.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll('%', '%%')}"`;
}
