import { withoutByteOrderMark } from '../../core/json/byte-order-mark.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { parseJson } from '../../core/json/exact-json.ts';
import { Failure, usageFailure } from '../failure.ts';

const example = `such as '{"skill_name": "lint"}'`;

/** Reads a JSON object. @throws Failure what is wrong with the text, called as `where` says */
export function parseObject(json: string, where: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJson(withoutByteOrderMark(json));
  } catch (cause) {
    if (cause instanceof ShannonDashError) throw usageFailure(`${where}: ${cause.message}`, 'quote the number');
    throw new Failure('INVALID', `${where} is not JSON: ${(cause as Error).message}`, { hints: [example], cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw usageFailure(`${where} must be a JSON object`, example);
}
