import { basename } from 'node:path';
import { getAsset } from 'node:sea';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { oneFile } from './one-file.ts';

/** Starts a thread that runs a module of this program. @param module next to the caller's own: `new URL(file, import.meta.url)` */
export function startOwnThread(module: URL, options: WorkerOptions): Worker {
  if (oneFile === undefined) return new Worker(module, options);
  return new Worker(getAsset('load-parts.cjs', 'utf8'), { ...options, eval: true, workerData: { part: basename(module.pathname) } });
}
