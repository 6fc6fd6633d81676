import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import license from 'rollup-plugin-license';
import manifest from './package.json' with { type: 'json' };
import { claudePluginFiles } from './src/cli/commands/hook/agents/claude-plugin.ts';

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

/** Of prom-client what counts is taken: its figures of processes bring OpenTelemetry with them, and others a cluster and a gateway. */
const countersOnly = {
  name: 'counters-only',
  transform: {
    filter: { id: /[/\\]prom-client[/\\]index\.js$/ },
    handler: () =>
      ['Registry', 'Counter', 'Gauge', 'Histogram'].map((name) => `exports.${name} = require('./lib/${name.toLowerCase()}');`).join('\n'),
  },
};

const never = (sentence) => `() => { throw new Error('${sentence}'); }`;

/** By its id, what takes the place of a package that is never called. */
const unused = {
  // Fastify's compilers of JSON schemas: no route has one, the table of endpoints checks with zod.
  '@fastify/ajv-compiler': `module.exports = () => ${never('No route has a schema of its own')};`,
  '@fastify/fast-json-stringify-compiler': `module.exports = () => ${never('No route has a schema of its own')};`,
  // Fastify's requests without a port, and its check of the versions of plugins.
  'light-my-request': `module.exports = ${never('The bundled server is asked at its port')};`,
  semver: `exports.satisfies = exports.gt = exports.coerce = ${never('The server has no plugins of other versions')};`,
  // The types of files by their names, behind what Engine.IO asks for encodings of answers.
  'mime-db': 'module.exports = {};',
  // What checks answers to questions that an MCP server asks its client, with another compiler of schemas: ours asks none.
  '@modelcontextprotocol/server/_shims': `
    export { default as process } from 'node:process';
    export class DefaultJsonSchemaValidator { getValidator = ${never('This MCP server asks its client nothing')}; }`,
  // Of OpenTelemetry's API the encoder of spans needs nothing but somewhere to complain.
  '@opentelemetry/api': 'const nothing = () => undefined; exports.diag = { error: nothing, warn: nothing, info: nothing, debug: nothing };',
};

/** Leaves out what is never called: a quarter of the server, and half of what MCP needs. */
const withoutUnused = {
  name: 'without-unused',
  resolveId: {
    filter: { id: new RegExp(`^(?:${Object.keys(unused).join('|')})$`) },
    handler: (id) => `\0unused:${id}`,
  },
  load: { filter: { id: /^\0unused:/ }, handler: (id) => unused[id.slice('\0unused:'.length)] },
};

const copyright = /^.*\bcopyright (?:\(c\)|©|\d{4}).*$/gim;

/**
 * The packages that are bundled, and their licences: with the copyright of each, and the same terms once for all that have them. Most
 * differ in nothing but where their lines end.
 */
function licensesText(dependencies) {
  const groups = new Map();
  for (const { name, version, licenseText, noticeText, author, license: kind } of dependencies) {
    const terms = (licenseText ?? '').replaceAll(copyright, '').trim();
    const key = terms.replace(/^(?:# )?(?:the )?(?:mit|isc) license(?: \(mit\))?\s/i, '').replaceAll(/\s+/g, ' ');
    const owners = licenseText?.match(copyright)?.map((line) => line.trim()) ?? [author?.text() ?? ''];
    const group = groups.get(key) ?? { terms, packages: [] };
    group.packages.push(
      [`${name} ${version} (${kind})`, ...owners.map((owner) => `  ${owner}`), ...(noticeText ? [noticeText] : [])].join('\n'),
    );
    groups.set(key, group);
  }
  return [...groups.values()].map(({ terms, packages }) => `${packages.join('\n')}\n\n${terms}\n`).join(`\n${'-'.repeat(80)}\n\n`);
}

/** The licences of the packages that are bundled. */
export const licensesTo = (file) => license({ thirdParty: { output: { file, template: licensesText } } });

/** @satisfies {import('rolldown').OutputOptions} Less to install and to load. Names and lines stay, so that a stack trace can be read. */
export const compact = {
  comments: false,
  minify: { mangle: false, compress: { keepNames: { function: true, class: true } }, codegen: false },
};

/** The places of a syntax tree's pieces of text between backticks, whose lines are as they are. */
function textsIn(node, places = []) {
  if (node === null || typeof node !== 'object') return places;
  if (node.type === 'TemplateElement') places.push([node.start, node.end]);
  else for (const child of Array.isArray(node) ? node : Object.values(node)) textsIn(child, places);
  return places;
}

/** Takes the indentation away: a thirtieth of what is installed. Names and lines stay, as above. */
const withoutIndentation = {
  name: 'without-indentation',
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue;
      const texts = textsIn(this.parse(chunk.code)).toSorted(([a], [b]) => a - b);
      let at = 0;
      chunk.code = chunk.code.replaceAll(/\n[\t ]+/g, (space, place) => {
        while (at < texts.length && texts[at][1] <= place) at++;
        return at < texts.length && texts[at][0] <= place ? space : '\n';
      });
    }
  },
};

/** @satisfies {import('rolldown').InputOptions} How the program is bundled, whatever becomes of it. */
export const program = {
  input: { start: 'src/cli/start.ts', 'skill-worker': 'src/server/skills/skill-worker.ts' },
  platform: 'node',
  external: packages(...Object.keys(manifest.optionalDependencies), 'react-devtools-core'),
  // React's development build costs several times the time for each frame.
  // The oldest Node that the package allows must read it.
  transform: { define: { 'process.env.NODE_ENV': '"production"' }, target: 'node22.22' },
  // What it names as its CommonJS loads its parts in a way that no bundler follows.
  resolve: { alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' } },
  plugins: [layoutAtOnce, noDeveloperTools, countersOnly, withoutUnused, withoutIndentation],
  logLevel: 'warn',
};

/** The plugin for Claude Code, of the same definitions as its hooks are installed by. */
const claudePlugin = {
  name: 'claude-plugin',
  writeBundle() {
    for (const [path, content] of Object.entries(claudePluginFiles(manifest.version))) {
      const file = join('dist/claude-plugin', path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
    }
  },
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
  plugins: [...program.plugins, licensesTo('dist/program/LICENSES.txt'), claudePlugin],
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

/** A name that changes with what is in a file, so that browsers can keep it for good. */
const hashedName = (name, content) => name.replace('.', `-${createHash('sha256').update(content).digest('base64url').slice(0, 8)}.`);

/** Beside the script of the page: its style, its icons, the manifest by which it is installed, and the document that names them all. */
const pageDocument = {
  name: 'page-document',
  generateBundle(_options, bundle) {
    const add = (name, content = readFileSync(join('src/web/static', name), 'utf8')) => {
      const fileName = hashedName(name, content);
      this.emitFile({ type: 'asset', fileName, source: content });
      return `/web/${fileName}`;
    };
    const [script] = Object.values(bundle).filter(({ isEntry }) => isEntry);
    const [icon, alert] = [add('icon.svg'), add('icon-alert.svg')];
    const app = {
      ...JSON.parse(readFileSync('src/web/static/page.webmanifest', 'utf8')),
      icons: [{ src: icon, sizes: 'any', type: 'image/svg+xml' }],
    };
    const names = {
      script: `/web/${script.fileName}`,
      style: add(
        'page.css',
        `${readFileSync('node_modules/uplot/dist/uPlot.min.css', 'utf8')}\n${readFileSync('src/web/static/page.css', 'utf8')}`,
      ),
      icon,
      alert,
      manifest: add('page.webmanifest', JSON.stringify(app)),
    };
    const html = readFileSync('src/web/static/index.html', 'utf8').replaceAll(/\{(\w+)\}/g, (_, name) => names[name]);
    this.emitFile({ type: 'asset', fileName: 'index.html', source: html });
  },
};

/** Leaves each file of a folder compressed: the server sends them so, and the package is smaller. */
const compressed = {
  name: 'compressed',
  writeBundle({ dir }) {
    for (const name of readdirSync(dir)) {
      if (name.endsWith('.br')) continue;
      writeFileSync(join(dir, `${name}.br`), brotliCompressSync(readFileSync(join(dir, name))));
      rmSync(join(dir, name));
    }
  },
};

/** Of zod, which checks what the server sends, what makes schemas into documents: the page makes none. */
const withoutDocuments = {
  name: 'without-documents',
  load: {
    filter: { id: /[/\\]zod[/\\]v4[/\\]core[/\\](?:to-json-schema|json-schema-processors|json-schema-generator)\.js$/ },
    handler: (id) => {
      const names = [...readFileSync(id, 'utf8').matchAll(/^export (?:const|function|class) (\w+)/gm)].map(([, name]) => name);
      return names.map((name) => `export const ${name} = () => undefined;`).join('\n');
    },
  },
};

/**
 * The page, for browsers: one script, and nothing that comes from elsewhere.
 * @param {string} dir
 * @returns {import('rolldown').RolldownOptions & { output: import('rolldown').OutputOptions }}
 */
export const pageTo = (dir) => ({
  input: { page: 'src/web/main.tsx' },
  platform: 'browser',
  transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  output: {
    dir,
    format: 'esm',
    cleanDir: true,
    minify: true,
    comments: false,
    entryFileNames: '[name]-[hash].js',
    codeSplitting: false,
  },
  plugins: [withoutDocuments, pageDocument, licensesTo(join(dir, 'LICENSES.txt')), compressed],
  logLevel: 'warn',
});

export default [programAndServer, sdk, pageTo('dist/web')];
