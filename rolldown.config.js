import license from 'rollup-plugin-license';
import manifest from './package.json' with { type: 'json' };

const inlinedWasm = /"data:application\/octet-stream;base64,([^"]+)"/;

/**
 * Ink's layout engine waits for its WebAssembly as it is loaded, which it fetches from a data: URL by Node's whole HTTP client. Here it
 * is compiled at once, by the hook that Emscripten has for that: the first picture comes sooner, and no module waits, which CommonJS
 * could not.
 */
const layoutAtOnce = {
  name: 'layout-at-once',
  transform: {
    filter: { id: /[/\\]yoga-layout[/\\]dist[/\\](?:src[/\\]index|binaries[/\\]yoga-wasm-base64-esm)\.js$/ },
    handler(code, id) {
      if (!id.endsWith('index.js')) {
        if (!inlinedWasm.test(code)) throw new Error('yoga-layout has its WebAssembly in another form now');
        return `${code.replace(inlinedWasm, '"data:application/octet-stream;base64,"')}; export const wasm = ${inlinedWasm.exec(code)[0]};`;
      }
      return `
        import load, { wasm } from '../binaries/yoga-wasm-base64-esm.js';
        import wrapAssembly from './wrapAssembly.js';
        export * from './generated/YGEnums.js';
        const yoga = {
          instantiateWasm(imports, receive) {
            const bytes = Buffer.from(wasm.slice(wasm.indexOf(',') + 1), 'base64');
            receive(new WebAssembly.Instance(new WebAssembly.Module(bytes), imports));
            return {};
          },
        };
        load(yoga);
        export default wrapAssembly(yoga);`;
    },
  },
};

/** Ink looks for React's developer tools where the environment says DEV=true. They are not here. */
const noDeveloperTools = {
  name: 'no-developer-tools',
  transform: {
    filter: { id: /[/\\]ink[/\\]build[/\\]reconciler\.js$/ },
    handler: (code) => code.replaceAll("process.env['DEV'] === 'true'", 'false'),
  },
};

/** The licences of the packages that are bundled. */
export const licensesTo = (output) => license({ thirdParty: { output } });

/** @satisfies {import('rolldown').InputOptions} How the program is bundled, whatever becomes of it. */
export const program = {
  input: { start: 'src/cli/start.ts', 'skill-worker': 'src/server/skills/skill-worker.ts' },
  platform: 'node',
  external: [...Object.keys(manifest.optionalDependencies), 'react-devtools-core'].map((name) => new RegExp(`^${name}(?:/|$)`)),
  // React's development build costs several times the time for each frame.
  transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  plugins: [layoutAtOnce, noDeveloperTools],
  logLevel: 'warn',
};

/**
 * The program as a few files with all that it needs but node-pty: looking up the seven hundred files of Ink and its like takes a
 * third of the time to the dashboard's first picture, those of zod and Socket.IO's client a quarter of that to a short command's end.
 */
export default {
  ...program,
  output: { dir: 'dist/program', format: 'esm', cleanDir: true },
  plugins: [...program.plugins, licensesTo('dist/program/LICENSES.txt')],
};
