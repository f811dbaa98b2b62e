/**
 * Markdown in, a complete HTML page out. Parsing and highlighting compute without a pause, which is why they
 * run here and not beside the sockets.
 */
import type { Exchange } from '../../workers/gateway.ts';
import { mediaType, readText } from '../site/content.ts';
import { respondPage } from '../site/page.ts';
import { answer, Refusal, type Resources } from '../site/routing.ts';

const MAX_DOCUMENT_BYTES = 1024 * 1024;

/** The third is what curl and forms send by default. */
const MEDIA_TYPES: ReadonlySet<string> = new Set([
  'text/markdown',
  'text/plain',
  'application/x-www-form-urlencoded',
  '',
]);

const RESOURCES: Resources = new Map([['/render', { GET: showPage, POST: renderBody }]]);

export default function render(exchange: Exchange): Promise<void> {
  return answer(exchange, RESOURCES);
}

async function renderBody(exchange: Exchange): Promise<void> {
  const type = mediaType(exchange);
  if (!MEDIA_TYPES.has(type)) throw new Refusal(415, `Send text/markdown, not '${type}'.`);
  await respondRendered(exchange, await readText(exchange, MAX_DOCUMENT_BYTES));
}

async function showPage(exchange: Exchange, query: URLSearchParams): Promise<void> {
  const { editorPage, readSample } = await import('./page.ts');
  if (query.has('sample')) await respondRendered(exchange, await readSample());
  else respondPage(exchange, 200, await editorPage());
}

/** The libraries load with the first document, so that a thread becomes ready without them. */
async function respondRendered(exchange: Exchange, source: string): Promise<void> {
  const { renderDocument } = await import('./document.ts');
  respondPage(exchange, 200, await renderDocument(source));
}
