import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { AnswerOf } from '../../../core/http-api.ts';
import { duration } from '../../../view/text/numbers.ts';
import type { Settings } from '../../settings/settings.ts';
import { ok, problem, warning, type Finding } from '../hook/doctor/finding.ts';
import { sqliteFlaw } from '../serve/journal-file.ts';

const answerMs = 5_000;
/** Clocks that differ by less are as good as one. */
const clocksMs = 5_000;
/** Before this nobody had this program. */
const oldest = Date.UTC(2025, 0, 1);
const smallest = { columns: 60, rows: 20 };

export function nodeFinding(): Finding {
  const { node, sqlite } = process.versions;
  if (sqliteFlaw() === undefined) return ok(`Node ${node}, SQLite ${sqlite ?? '-'}`);
  return warning(`Node ${node} has SQLite ${sqlite}, which can damage a journal that two programs write`, 'update Node: 24.14 or later');
}

export function settingsFindings({ files, warnings }: Settings): Finding[] {
  if (warnings.length > 0) return warnings.map((sentence) => warning(sentence, 'look at it, then: shannon-dash trust'));
  return [ok(files.length === 0 ? 'there are no configuration files' : `read: ${files.join(', ')}`)];
}

/** @param health what a server has answered just now */
export function clockFinding(health: AnswerOf<'health'> | undefined): Finding {
  const now = Date.now();
  if (now < oldest) return problem(`the clock says ${new Date(now).toISOString()}`, 'set it: timedatectl set-ntp true');
  const apartMs = Math.abs(now - Date.parse(health?.timestamp ?? ''));
  if (!(apartMs > clocksMs)) return ok(new Date(now).toISOString());
  return warning(`that of the server differs by ${duration(apartMs)}: ages are shown wrongly`, 'set both: timedatectl set-ntp true');
}

export function terminalFinding(): Finding {
  const { stdout, env } = process;
  if (!stdout.isTTY) return ok('the output goes to no terminal');
  if (env['TERM'] === undefined || env['TERM'] === 'dumb') {
    return warning(
      `TERM is ${env['TERM'] ?? 'not set'}: the dashboard cannot draw`,
      'set it: export TERM=xterm-256color, or: watch --json',
    );
  }
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((each) => each !== undefined && each !== '');
  if (process.platform !== 'win32' && locale !== undefined && !/utf-?8/i.test(locale)) {
    return warning(`the locale is ${locale}: lines and marks may look wrong`, 'set it: export LC_ALL=C.UTF-8');
  }
  const size = `${stdout.columns}x${stdout.rows}`;
  if (stdout.columns < smallest.columns || stdout.rows < smallest.rows) {
    return warning(`${size} is small for the dashboard`, `make it ${smallest.columns}x${smallest.rows} or larger`);
  }
  return ok(`${size}, ${env['TERM']}`);
}

export async function gitFinding(): Promise<Finding> {
  try {
    const { stdout } = await promisify(execFile)('git', ['--version'], { timeout: answerMs });
    return ok(stdout.trim());
  } catch {
    return warning('git does not answer: a run has no checkpoints, and tells no changed lines', 'install git, and have it in PATH');
  }
}
