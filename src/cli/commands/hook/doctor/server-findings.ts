import { ClientToken } from '../../../../client/connection/client-token.ts';
import { afterMs, endpoint, exchange, type HttpAnswer } from '../../../../client/connection/http-exchange.ts';
import { readEnvironment } from '../../../../client/environment.ts';
import { callApi } from '../../../../client/sessions-api.ts';
import { newId } from '../../../../core/ids.ts';
import { isErrorBody } from '../../../../core/protocol/error-answer.ts';
import { ShannonDashError } from '../../../../core/protocol/errors.ts';
import { isHere } from '../../../server-access/local-server.ts';
import { ok, problem, warning, type Finding, type Patient } from './finding.ts';
import { atOneServer } from '../../../server-access/server-request.ts';

const answerMs = 3_000;
const longestAnswerChars = 64 * 1024;
const howToServe = 'start it: shannon-dash serve   or have it kept up: shannon-dash service install';

/** Asks the server as the hooks do, and whether whoever asks may steer. */
export async function serverFindings(patient: Patient): Promise<Finding[]> {
  const { agent, hooks, settings } = patient;
  const { url } = await atOneServer(settings);
  // Such a hook has the token of its agent's environment, and no other.
  const isHttp = agent === 'opencode' || hooks.some((each) => each['type'] === 'http');
  const token = isHttp ? readEnvironment().token : await new ClientToken(url, settings.token).get();
  const howToGetToken = `one is made with: shannon-dash token create NAME --role orchestrator --session '${agent}-*'`;
  const answer = await asHook(url, agent, token).catch(() => undefined);
  if (answer === undefined) {
    const isStarted = isHere(url);
    return [
      isStarted
        ? warning(`no server answers at ${url}; the next session starts one`, howToServe)
        : problem(`no server answers at ${url}`, howToServe),
    ];
  }
  const { status, text } = answer;
  const refusal = refusalIn(text);
  switch (status) {
    // It is no event of a hook: so the server has looked at it.
    case 400:
      if (refusal !== undefined) return [ok(`the server at ${url} takes the hooks`), await steeringFinding(patient)];
      break;
    case 401: {
      const how = isHttp
        ? 'set SHANNON_DASH_TOKEN where the agent is started'
        : 'set SHANNON_DASH_TOKEN, or token_file in the configuration';
      return [problem(`the server at ${url} wants a token: ${refusal ?? 'none was shown'}`, `${how}; ${howToGetToken}`)];
    }
    case 403:
      return [problem(`the token of the hooks may not publish: ${refusal ?? 'its role is too small'}`, howToGetToken)];
  }
  return [
    problem(
      `what answers at ${url} takes no hooks of ${agent}: ${refusal ?? `status ${status}`}`,
      'update the server, or name another: --url',
    ),
  ];
}

/** Posts what is no event of a hook. */
function asHook(url: string, agent: string, token: string | undefined): Promise<HttpAnswer> {
  return exchange(endpoint(url, `api/hooks/${agent}`), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    body: new TextEncoder().encode('{}'),
    signal: afterMs(answerMs),
    maxChars: longestAnswerChars,
  });
}

/** Tries it: on a session that there is not, so that nothing happens. */
async function steeringFinding({ settings: { url, token } }: Patient): Promise<Finding> {
  try {
    await callApi('command', { path: { id: `hook-doctor-${newId()}` }, body: { type: 'HALT' } }, { url, token, timeoutMs: answerMs });
  } catch (error) {
    if (!(error instanceof ShannonDashError)) throw error;
    if (error.code === 'FORBIDDEN') return ok('steering is off: the server was sent a command, and refuses commands of this user');
    if (error.code !== 'NOT_FOUND') return warning(`the server does not say whether you may send commands: ${error.message}`);
  }
  return ok('steering is on: the server takes commands of this user');
}

function refusalIn(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return isErrorBody(body) ? body.error : undefined;
  } catch {
    return undefined;
  }
}
