#!/usr/bin/env node
// Written in the oldest syntax that still parses, so that an old Node gets a sentence and not a SyntaxError.
var version = process.versions.node.split('.').map(Number);
if (version[0] < 22 || (version[0] === 22 && version[1] < 22)) {
  process.stderr.write(
    'error: shannon-dash needs Node 22.22 or newer; this is Node ' + process.versions.node + '\n  install one: https://nodejs.org\n',
  );
  process.exit(1);
}
import('../dist/program/start.js').then(
  function (program) {
    return program.start(process.argv);
  },
  function (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    process.stderr.write('error: shannon-dash is not built here (' + error.message + ')\n  build it: npm ci\n');
    process.exit(1);
  },
);
