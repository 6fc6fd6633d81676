import license from 'rollup-plugin-license';
import manifest from './package.json' with { type: 'json' };

/**
 * The program as a few files: looking up the seven hundred of Ink and its like takes a third of the time to the dashboard's first
 * picture. What it shares with those who embed the server or the client stays outside, where they find it too.
 */
export default {
  input: { main: 'src/cli/main.ts', 'compile-cache': 'src/cli/compile-cache.ts', 'skill-worker': 'src/server/skills/skill-worker.ts' },
  platform: 'node',
  external: [...Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }), 'react-devtools-core'].map(
    (name) => new RegExp(`^${name}(?:/|$)`),
  ),
  // React's development build costs several times the time for each frame.
  transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  output: { dir: 'dist/program', format: 'esm', cleanDir: true },
  plugins: [license({ thirdParty: { output: 'dist/program/LICENSES.txt' } })],
  logLevel: 'warn',
};
