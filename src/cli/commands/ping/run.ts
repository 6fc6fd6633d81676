import { setTimeout as wait } from 'node:timers/promises';
import { connect, type Connection } from '../../../client/connection/connection.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { connecting } from '../../server-access/connecting.ts';
import type { PingOptions } from './definition.ts';
import { summaryOf } from './round-trips.ts';

const probeMs = 2_000;

/** Sends probes one after the other, a line each, and sums up. */
export async function ping({ options, settings, output, interruption }: Invocation<PingOptions>): Promise<number | void> {
  const connection = await connecting(settings, connect);
  output.endWithReader();
  const signal = interruption.hold();
  const times: number[] = [];
  let sent = 0;
  while (!signal.aborted && sent < (options.count ?? Infinity)) {
    if (sent > 0) await wait((options.interval ?? 1) * 1_000, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    sent++;
    const ms = await probe(connection, settings.timeoutMs ?? probeMs);
    if (typeof ms === 'number') times.push(ms);
    if (output.isJson || output.isQuiet) continue;
    await output.stream(`seq=${sent} ${typeof ms === 'number' ? `time=${ms.toFixed(3)} ms` : ms}`);
  }
  connection.close();
  const summary = summaryOf(sent, times);
  const { received, loss_percent, min_ms, avg_ms, p50_ms, p99_ms, max_ms } = summary;
  if (output.isJson) output.document(summary);
  else {
    output.line(`${sent} sent, ${received} received, ${loss_percent}% loss`);
    if (received > 0)
      output.line(`min/avg/p50/p99/max = ${[min_ms, avg_ms, p50_ms, p99_ms, max_ms].map((ms) => ms?.toFixed(3)).join('/')} ms`);
  }
  if (signal.aborted) return undefined;
  if (received === 0)
    throw new Failure('UNREACHABLE', `no answer from ${settings.url}`, {
      hints: ['look at its log, or start it anew: shannon-dash serve'],
    });
  if (p99_ms !== null && options.maxP99 !== undefined && p99_ms > options.maxP99) {
    throw new Failure('TIMEOUT', `p99 is ${p99_ms} ms, above ${options.maxP99} ms`, {
      hints: ['what it is busy with: shannon-dash stats'],
      exitCode: exitCodes.refused,
    });
  }
  return undefined;
}

/** The round trip in milliseconds, or why there was none. */
async function probe(connection: Connection, timeoutMs: number): Promise<number | string> {
  try {
    return await connection.ping({ timeoutMs });
  } catch (error) {
    return connection.state.status === 'live' ? 'no answer' : `lost: ${connection.state.error ?? (error as Error).message}`;
  }
}
