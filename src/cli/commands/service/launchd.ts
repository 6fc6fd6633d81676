import { join } from 'node:path';
import type { ServerStart, ServiceManager } from './service-manager.ts';

const label = 'shannon-dash';

/** launchd, which runs agents of a user who is logged in. */
export function launchd(home: string, uid: number): ServiceManager {
  const path = join(home, 'Library', 'LaunchAgents', `${label}.plist`);
  const log = join(home, 'Library', 'Logs', `${label}.log`);
  const target = `gui/${uid}/${label}`;
  const bootout = ['launchctl', 'bootout', target] as const;
  const bootstrap = ['launchctl', 'bootstrap', `gui/${uid}`, path] as const;
  return {
    name: 'launchd',
    path,
    text: (start) => agentText(start, log),
    comment: { start: '<!-- shannon-dash service install: ', end: ' -->' },
    starting: [{ command: bootout, mayFail: true }, { command: bootstrap }],
    stopping: [{ command: bootout }],
    forget: { commands: [], links: [] },
    asking: { command: ['launchctl', 'print', target] },
    stateIn: (answer) => /^\s*state = (.+)$/m.exec(answer)?.[1],
    up: 'running',
    nextStep: `launchctl bootstrap gui/${uid} '${path.replaceAll("'", `'\\''`)}'`,
    hints: [`its log: ${log}`],
  };
}

/** The agent, as a property list. 63 is the mask 077: files are their owner's alone. */
function agentText({ command, environment, home }: ServerStart, log: string): string {
  const variables = Object.entries(environment).map(([name, value]) => `    ${element('key', name)}\n    ${element('string', value)}\n`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${label}</string>
  <key>ProgramArguments</key>
  <array>
${command.map((word) => `    ${element('string', word)}\n`).join('')}  </array>
  <key>EnvironmentVariables</key>
  <dict>
${variables.join('')}  </dict>
  <key>WorkingDirectory</key>
  ${element('string', home)}
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
  <key>ThrottleInterval</key>
  <integer>5</integer>
  <key>ExitTimeOut</key>
  <integer>10</integer>
  <key>Umask</key>
  <integer>63</integer>
  <key>StandardOutPath</key>
  ${element('string', log)}
  <key>StandardErrorPath</key>
  ${element('string', log)}
</dict>
</plist>
`;
}

function element(name: string, text: string): string {
  return `<${name}>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}</${name}>`;
}
