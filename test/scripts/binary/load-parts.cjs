'use strict';
/**
 * The first code that runs in the one-file executable, in its main thread and in every thread that it starts. The executable's assets
 * are the program's parts, and beside each part the code that V8 has compiled from it.
 */
const { getAsset, getRawAsset } = require('node:sea');
const { debuglog } = require('node:util');
const { Script } = require('node:vm');
const { workerData } = require('node:worker_threads');

const debug = debuglog('shannon-dash');
const loaded = new Map();

function load(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const part = { exports: {} };
  loaded.set(name, part);
  const script = new Script(getAsset(name, 'utf8'), { filename: name, cachedData: compiled(name) });
  debug('%s: its compiled code is %s', name, script.cachedDataRejected === false ? 'taken' : 'refused');
  script.runInThisContext()(
    part.exports,
    (wanted) => (wanted.startsWith('./') ? load(wanted.slice(2)) : require(wanted)),
    part,
    process.execPath,
  );
  return part.exports;
}

/** V8 refuses code that was compiled for another processor, or under other flags; it compiles the source then. */
function compiled(name) {
  try {
    return new Uint8Array(getRawAsset(`${name}.compiled`));
  } catch {
    // Made on a machine of another kind, which cannot compile for this one.
    return undefined;
  }
}

if (workerData?.part === undefined) load('start.js').start(process.argv);
else load(workerData.part);
