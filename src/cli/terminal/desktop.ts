import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Notification } from '../../view/notifications/notification.ts';
import { systemReason } from './system-reason.ts';

/** A desktop answers at once, or not at all. */
const answerMs = 5_000;

/** The texts are arguments, not parts of the script. */
const appleScript = 'on run argv\ndisplay notification (item 2 of argv) with title "shannon-dash" subtitle (item 1 of argv)\nend run';
/** The texts come from the environment, and become text nodes of the notification's XML. */
const windowsScript = `
$null = [Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]
$xml = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent([Windows.UI.Notifications.ToastTemplateType]::ToastText02)
$texts = $xml.GetElementsByTagName('text')
$null = $texts.Item(0).AppendChild($xml.CreateTextNode($env:SHANNON_DASH_TITLE))
$null = $texts.Item(1).AppendChild($xml.CreateTextNode($env:SHANNON_DASH_TEXT))
$app = '{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\\WindowsPowerShell\\v1.0\\powershell.exe'
[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier($app).Show([Windows.UI.Notifications.ToastNotification]::new($xml))
`;

/**
 * Shows a notification on the desktop of this process's user, by the system's own command and without a shell.
 * @returns why it is not shown, as a sentence; undefined: it is
 */
export function tellDesktop({ title, lines }: Pick<Notification, 'title' | 'lines'>): Promise<string | undefined> {
  const { file, args, env } = commandFor(title, lines.join('\n'));
  return new Promise((resolve) => {
    execFile(file, args, { env: { ...process.env, ...env }, timeout: answerMs, windowsHide: true }, (error, _, stderr) => {
      if (error === null) resolve(undefined);
      else if (error.killed === true) resolve(`${file} did not end within ${answerMs / 1_000} s`);
      else if (typeof error.code === 'string') resolve(`${file} cannot be started: ${systemReason(error)}${install}`);
      else resolve(`${file} failed: ${stderr.trim() || `exit code ${error.code}`}`);
    });
  });
}

const install = process.platform === 'linux' ? '; install it: apt-get install libnotify-bin' : '';

function commandFor(title: string, text: string): { file: string; args: string[]; env?: Record<string, string> } {
  switch (process.platform) {
    case 'darwin':
      return { file: '/usr/bin/osascript', args: ['-e', appleScript, title, text] };
    case 'win32': {
      // By its path: the working folder, which Windows would look into first, may be a stranger's.
      const file = join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'WindowsPowerShell', 'v1.0', 'powershell.exe');
      const encoded = Buffer.from(windowsScript, 'utf16le').toString('base64');
      const env = { SHANNON_DASH_TITLE: title, SHANNON_DASH_TEXT: text };
      return { file, args: ['-NoProfile', '-NonInteractive', '-EncodedCommand', encoded], env };
    }
    default:
      return { file: 'notify-send', args: ['--app-name=shannon-dash', '--', title, withoutMarkup(text)] };
  }
}

/** Servers of notifications take a few tags of HTML in the text. */
function withoutMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
