import { globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import license from 'rollup-plugin-license';
import manifest from './package.json' with { type: 'json' };

/** The packages of these names, and each of their modules. */
const packages = (...names) => names.map((name) => new RegExp(`^${name}(?:/|$)`));

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

/** @satisfies {import('rolldown').OutputOptions} Less to install and to load. Names and lines stay, so that a stack trace can be read. */
export const compact = {
  comments: false,
  minify: { mangle: false, compress: { keepNames: { function: true, class: true } }, codegen: false },
};

/** @satisfies {import('rolldown').InputOptions} How the program is bundled, whatever becomes of it. */
export const program = {
  input: { start: 'src/cli/start.ts', 'skill-worker': 'src/server/skills/skill-worker.ts' },
  platform: 'node',
  external: packages(...Object.keys(manifest.optionalDependencies), 'react-devtools-core'),
  // React's development build costs several times the time for each frame.
  transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  plugins: [layoutAtOnce, noDeveloperTools],
  logLevel: 'warn',
};

/**
 * The program, and the server that others embed, as a few files with all that they need but node-pty: looking up the seven hundred files
 * of Ink and its like takes a third of the time to the dashboard's first picture, those of zod and Socket.IO's client a quarter of that to
 * a short command's end; and installing the package installs hardly any other.
 */
const programAndServer = {
  ...program,
  input: { ...program.input, server: 'src/server/create-server.ts' },
  output: {
    dir: 'dist/program',
    format: 'esm',
    cleanDir: true,
    ...compact,
  },
  plugins: [...program.plugins, licensesTo('dist/program/LICENSES.txt')],
};

/** Of the declarations, which tsc makes of all modules, leaves those that the SDK and the server name. */
const namedTypes = {
  name: 'named-types',
  writeBundle() {
    const folder = 'dist/types';
    const named = new Set(['index.d.ts', 'server/create-server.d.ts']);
    // A set walks also over what is added meanwhile.
    for (const file of named) {
      const text = readFileSync(join(folder, file), 'utf8');
      for (const [, to] of text.matchAll(/(?:from|import\()\s*['"](\.[^'"]+)\.[jt]s['"]/g)) named.add(join(file, '..', `${to}.d.ts`));
    }
    for (const file of globSync('**/*.d.ts', { cwd: folder })) if (!named.has(file)) rmSync(join(folder, file));
  },
};

/** The SDK, for Node and for browsers: its dependencies are those of the package, so that a bundler has each of them once. */
const sdk = {
  input: { index: 'src/index.ts' },
  platform: 'neutral',
  external: packages(...Object.keys(manifest.dependencies)),
  output: { dir: 'dist', format: 'esm' },
  plugins: [namedTypes],
  logLevel: 'warn',
};

export default [programAndServer, sdk];
