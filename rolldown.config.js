import license from 'rollup-plugin-license';
import manifest from './package.json' with { type: 'json' };

/**
 * The program as a few files with all that it needs but node-pty: looking up the seven hundred files of Ink and its like takes a
 * third of the time to the dashboard's first picture, those of zod and Socket.IO's client a quarter of that to a short command's end.
 */
export default {
  input: { start: 'src/cli/start.ts', 'skill-worker': 'src/server/skills/skill-worker.ts' },
  platform: 'node',
  external: [...Object.keys(manifest.optionalDependencies), 'react-devtools-core'].map((name) => new RegExp(`^${name}(?:/|$)`)),
  // React's development build costs several times the time for each frame.
  transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  output: { dir: 'dist/program', format: 'esm', cleanDir: true },
  plugins: [license({ thirdParty: { output: 'dist/program/LICENSES.txt' } })],
  logLevel: 'warn',
};
