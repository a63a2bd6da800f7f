/** Bundles the extension, or the widget: `node bundle.mjs lib`, `node bundle.mjs widget`. */

import { readFile } from 'node:fs/promises';

import { build } from 'esbuild';

import { compile } from './closures.mjs';
import { OURS } from './ours.mjs';

const closures = {
  name: 'closures',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: compile(await readFile(path, 'utf8'), path).code,
      loader: 'js'
    }));
  }
};

const SHARED = { bundle: true, minify: true, format: 'esm', target: 'es2022', logLevel: 'warning', plugins: [closures] };
const WIDGET = '../nbautoml/widgets/static/run_widget';

/** What JupyterLab brings along stays outside, and so does plotly, which is fetched on demand. */
const BUNDLES = {
  lib: [
    { entryPoints: ['src/index.ts'], outfile: 'lib/index.js', external: ['@jupyterlab/*', '@lumino/*', 'plotly*'] },
    { entryPoints: ['style/index.css'], outfile: 'lib/style.raw.css' }
  ],
  widget: [
    { entryPoints: ['src/widget.ts'], outfile: `${WIDGET}.js`, mangleProps: new RegExp(`^(${OURS.join('|')})$`) },
    { entryPoints: ['style/widget.css'], outfile: `${WIDGET}.css` }
  ]
};

for (const options of BUNDLES[process.argv[2]]) {
  await build({ ...SHARED, ...options });
}
