import { callApi } from '../../../client/sessions-api.ts';
import type { AnswerOf } from '../../../core/http-api.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { version } from '../../../executable/own-program.ts';
import { isHere } from '../../server-access/local-server.ts';
import type { Settings } from '../../settings/settings.ts';
import { ok, problem, warning, type Finding } from '../hook/doctor/finding.ts';
import { portHolder } from '../serve/port-holder.ts';

const answerMs = 3_000;

/** Asks the server, or looks at its port. @returns what it answered too, where it did */
export async function serverFinding({ url, token }: Settings): Promise<{ finding: Finding; health?: AnswerOf<'health'> | undefined }> {
  let health: AnswerOf<'health'>;
  try {
    health = await callApi('health', { query: {} }, { url, token, timeoutMs: answerMs });
  } catch (error) {
    if (!(error instanceof ShannonDashError)) throw error;
    return { finding: await silenceFinding(url, error) };
  }
  return { finding: healthFinding(url, health), health };
}

function healthFinding(url: string, { version: itsVersion, status, reason, degraded = [] }: AnswerOf<'health'>): Finding {
  const [concern] = degraded;
  if (status !== 'healthy')
    return problem(`${url} takes no events: ${reason ?? 'its log says why'}`, 'see its log, and the disk of its journal');
  if (concern !== undefined)
    return warning(`${url} is not well: ${concern.reason ?? concern.code}`, 'see its log, and the disk of its journal');
  if (itsVersion === undefined)
    return warning(`${url} answers, and wants a token`, 'set SHANNON_DASH_TOKEN, or token_file in the configuration');
  if (itsVersion !== version)
    return warning(`${url} has version ${itsVersion}, this program ${version}`, 'start it again with this version');
  return ok(`${url} is well, version ${itsVersion}`);
}

async function silenceFinding(url: string, { code, message }: ShannonDashError): Promise<Finding> {
  if (code === 'UNAUTHENTICATED' || code === 'FORBIDDEN')
    return problem(`${url} lets this user not in: ${message}`, 'set SHANNON_DASH_TOKEN');
  // What it answers where nothing can be journalled is an error too.
  if (code === 'JOURNAL_FAILED' || code === 'UNAVAILABLE') return problem(`${url} takes no events: ${message}`, 'see its log');
  if (!isHere(url)) return problem(`no server answers at ${url}`, 'look at the address, the network and that machine');
  const port = Number(new URL(url).port || 80);
  const holder = await portHolder(port);
  if (code === 'UNREACHABLE' && holder === undefined) return ok(`none runs at ${url}; a run starts one, or: shannon-dash serve`);
  return problem(
    `port ${port} belongs to ${holder ?? 'another program'}, which is no server of this program`,
    'take another port: --port 8001   (SHANNON_DASH_URL for the others)',
  );
}
