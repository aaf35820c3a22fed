/** Puts what the gateway serves to browsers into build/page: a script and a style sheet a page. */
import { cp } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const outdir = here('../../build/page');

await build({
  entryPoints: {
    page: here('main.ts'),
    projector: here('projector.ts'),
    'capture-worklet': here('../client/browser/capture-worklet.ts'),
  },
  outdir,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  charset: 'utf8',
  logLevel: 'warning',
});
await build({
  entryPoints: { page: here('page.css'), projector: here('projector.css') },
  outdir,
  bundle: true,
  logLevel: 'warning',
});
for (const file of ['index.html', 'projector.html', 'icon.svg']) await cp(here(file), `${outdir}/${file}`);
