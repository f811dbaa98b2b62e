/** The page of the render application: an editor beside the rendered document. */
import { readFile } from 'node:fs/promises';
import { escapeHtml, makePage, type Page } from '../site/page.ts';

const STYLE = `
.editor { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem }
@media (max-width: 50rem) { .editor { grid-template-columns: 1fr } }
.editor textarea, iframe { width: 100%; height: 65vh; min-height: 20rem; border: 1px solid var(--line); border-radius: 6px }
iframe { background: var(--paper) }
`;

const SCRIPT = `
const source = document.getElementById('source');
const status = document.getElementById('status');
const frame = document.getElementById('frame');
let wanted = 0;
async function render() {
  const run = ++wanted;
  const started = performance.now();
  try {
    const response = await fetch('/render', {
      method: 'POST',
      headers: { 'content-type': 'text/markdown' },
      body: source.value,
    });
    const text = await response.text();
    if (run !== wanted) return;
    status.classList.toggle('bad', !response.ok);
    status.textContent = response.ok ? Math.round(performance.now() - started) + ' ms' : text;
    if (response.ok) frame.srcdoc = text;
  } catch (error) {
    status.classList.add('bad');
    status.textContent = String(error);
  }
}
let timer;
source.addEventListener('input', () => {
  clearTimeout(timer);
  timer = setTimeout(render, 250);
});
render();
`;

export function readSample(): Promise<string> {
  return readFile(new URL('./sample.md', import.meta.url), 'utf8');
}

let page: Page | undefined;

export async function editorPage(): Promise<Page> {
  page ??= makePage('Render', mainHtml(await readSample()), SCRIPT, STYLE);
  return page;
}

function mainHtml(sample: string): string {
  return `
<p>Markdown, and the page that it becomes. The <a href="/render?sample">sample document</a> can be
opened by itself.</p>
<div class="editor">
<div><label for="source">Markdown</label>
<textarea id="source" spellcheck="false">
${escapeHtml(sample)}</textarea></div>
<div><label for="frame">Page</label>
<iframe id="frame" title="The rendered page" sandbox=""></iframe></div>
</div>
<output id="status" aria-live="polite"></output>
`;
}
