/** Serves the files of the dashboard: page, style and script. They contain no data of the server, so no token is needed for them. */
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { ControlRoutes } from '../control/routes.ts';
import { html } from './page/html.ts';
import { style } from './page/style.ts';

/** Modules of the page's script. They import each other and uPlot. */
const modules = ['api', 'charts', 'dialog', 'exchanges', 'history', 'main', 'pools', 'text'];
const HERE = import.meta.url;
const EXTENSION = HERE.slice(HERE.lastIndexOf('.'));
const JAVASCRIPT = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';

interface Asset {
  readonly type: string;
  read(): string;
}

const assets: Readonly<Record<string, Asset>> = {
  '/': { type: 'text/html; charset=utf-8', read: () => html },
  '/assets/style.css': { type: CSS, read: () => style },
  '/assets/uplot.js': { type: JAVASCRIPT, read: () => readUplot('uPlot.esm.js') },
  '/assets/uplot.css': { type: CSS, read: () => readUplot('uPlot.min.css') },
  ...Object.fromEntries(
    modules.map((name) => [`/assets/${name}.js`, { type: JAVASCRIPT, read: () => readModule(name) }]),
  ),
};

export function addDashboard(routes: ControlRoutes): void {
  for (const [path, { type, read }] of Object.entries(assets)) {
    // Read on the first request, because most servers' dashboards are never opened.
    let text: string | null = null;
    for (const method of ['GET', 'HEAD']) {
      routes.add(method, path, async (exchange) => {
        text ??= read();
        exchange.respond(200, type);
        if (method === 'GET') await exchange.write(text);
        exchange.end();
      });
    }
  }
}

function readUplot(name: string): string {
  return readFileSync(fileURLToPath(import.meta.resolve(`uplot/dist/${name}`)), 'utf8');
}

/** In a checkout the modules are TypeScript. */
function readModule(name: string): string {
  const source = readFileSync(new URL(`./page/${name}${EXTENSION}`, HERE), 'utf8');
  const script = EXTENSION === '.ts' ? withoutTypes(source) : source;
  return script
    .replaceAll(/^(import .* from|\} from) '\.\/([a-z]+)\.ts';$/gm, "$1 './$2.js';")
    .replaceAll("from 'uplot'", "from './uplot.js'");
}

function withoutTypes(source: string): string {
  const { emitWarning } = process;
  // Node warns that this is experimental, which does not concern the operator.
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
