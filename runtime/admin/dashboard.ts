/** Serves the files of the dashboard: page, style and script. They contain no data of the server, so no token is needed for them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ControlRoutes } from '../control/routes.ts';
import { readPageModule } from '../process/page-module.ts';
import { html } from './page/html.ts';
import { style } from './page/style.ts';

/** Modules of the page's script. They import each other and uPlot. */
const modules = ['api', 'charts', 'dialog', 'exchanges', 'history', 'main', 'pools', 'text'];
const PAGE = new URL('./page/', import.meta.url);
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

function readModule(name: string): string {
  return readPageModule(PAGE, name)
    .replaceAll(/^(import .* from|\} from) '\.\/([a-z]+)\.ts';$/gm, "$1 './$2.js';")
    .replaceAll("from 'uplot'", "from './uplot.js'");
}
