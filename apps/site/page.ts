/**
 * The frame of every page of the sample applications: one document that requests nothing from elsewhere, in
 * light and dark, under a content security policy that lets only its own script run.
 */
import { createHash } from 'node:crypto';
import type { Exchange } from '../../workers/gateway.ts';

export interface Page {
  readonly html: Uint8Array;
  readonly fields: { readonly [name: string]: string };
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2430; --paper: #fbfbf9; --soft: #5c6675; --line: #d9dce1; --field: #fff;
  --accent: #0b5c8f; --on-accent: #fff; --bad: #a3241b; --code: #eef0f2 }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --paper: #14181e; --soft: #9aa5b4; --line: #333b46;
  --field: #1b2129; --accent: #7cc4f2; --on-accent: #0c1a24; --bad: #ff9b90; --code: #222a34 } }
* { box-sizing: border-box }
[hidden] { display: none !important }
body { margin: 0 auto; padding: 1.2rem 1rem 3rem; max-width: 64rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.55 system-ui, sans-serif }
a { color: var(--accent) }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 1.2rem 0 .4rem }
h2 { font-size: 1.15rem; margin: 2rem 0 .4rem }
p { max-width: 44rem }
.soft { color: var(--soft) }
code, pre, output, textarea { font: .875rem/1.5 ui-monospace, monospace }
code { background: var(--code); border-radius: 3px; padding: .1em .3em }
pre, output { display: block; background: var(--code); border-radius: 6px; padding: .7rem .9rem; overflow: auto;
  white-space: pre-wrap; overflow-wrap: anywhere }
pre code { padding: 0 }
label { display: block; font-weight: 600; margin: 1rem 0 .25rem }
input, textarea, select, button { font-size: 1rem; color: inherit; max-width: 100% }
input:not([type=file]), textarea, select { background: var(--field); border: 1px solid var(--line); border-radius: 6px;
  padding: .45rem .6rem }
textarea { width: 100% }
button { margin-top: 1rem; padding: .5rem 1.1rem; border: 0; border-radius: 6px; background: var(--accent);
  color: var(--on-accent); font-weight: 600; cursor: pointer }
button:disabled { opacity: .55; cursor: default }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
output:empty { display: none }
output + output:not(:empty) { margin-top: .5rem }
.bad { color: var(--bad) }
.row { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem }
nav { display: flex; align-items: center; gap: .6rem; padding-bottom: .6rem; border-bottom: 1px solid var(--line) }
nav img { width: 1.6rem; height: 1.6rem }
nav strong { font-size: 1.05rem }
nav a { margin-left: auto }
footer { margin-top: 2.5rem; padding-top: .6rem; border-top: 1px solid var(--line); font-size: .875rem }
.command { display: flex; gap: .5rem; align-items: stretch; margin: .5rem 0 }
.command pre { flex: 1; min-width: 0; margin: 0 }
.command button { margin: 0; padding: 0 .8rem; font-size: .875rem }
progress { width: 100%; accent-color: var(--accent) }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
td, th { padding: .15rem .8rem .15rem 0; text-align: left }
td + td, th + th { text-align: right }
td:last-child, th:last-child { padding-right: 0 }
@media (max-width: 30rem) { td, th { padding-right: .5rem } }
`;

/** The gate of a sluice, which lets a measured stream through. */
export const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b5c8f"/><path d="M9 5v22M23 5v22" stroke="#fff" stroke-width="3" stroke-linecap="round"/><path d="M9 12h14" stroke="#7cc4f2" stroke-width="5"/><path d="M12 20q2-2 4 0t4 0M12 25q2-2 4 0t4 0" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round"/></svg>
`;

/**
 * Runs on every page. From the Server-Timing field, the footer shows which thread made the last response, how
 * long the request waited and how long it ran. The buttons beside commands copy them.
 */
const FRAME_SCRIPT = `
const told = document.getElementById('told');
function tell({ name, serverTiming = [] }) {
  const entry = (wanted) => serverTiming.find((one) => one.name === wanted);
  const thread = entry('thread');
  if (thread === undefined || name.endsWith('/favicon.svg')) return;
  const ms = (wanted) => (entry(wanted)?.duration ?? 0).toFixed(1) + ' ms';
  told.textContent = new URL(name).pathname + ' was answered by thread ' + thread.description +
    ': waited ' + ms('wait') + ', ran ' + ms('run');
}
new PerformanceObserver((list) => list.getEntries().forEach(tell)).observe({ type: 'navigation', buffered: true });
new PerformanceObserver((list) => list.getEntries().forEach(tell)).observe({ type: 'resource', buffered: true });
for (const button of document.querySelectorAll('.command button')) {
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.parentElement.querySelector('code').textContent);
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy' }, 1500);
  });
}
`;

/** A shell command with a button that copies all of it. @param id of the element that holds the command, for a script that writes it */
export function commandHtml(command: string, id = ''): string {
  const named = id === '' ? '' : ` id="${id}"`;
  return `<div class="command"><pre><code${named}>${escapeHtml(command)}</code></pre><button type="button">Copy</button></div>`;
}

/**
 * A page of a sample application.
 * @param title plain text; also the heading
 * @param main trusted HTML: everything from a request has been through `escapeHtml`
 * @param script a module's source, or '' for a page without one
 */
export function makePage(title: string, main: string, script = '', style = ''): Page {
  const heading = escapeHtml(title);
  const body = `<nav><img src="/favicon.svg" alt=""><strong>Sluice</strong><a href="/">All sample applications</a></nav>
<main>
<h1>${heading}</h1>
${main}
</main>
<footer class="soft"><span id="told" role="status">&nbsp;</span></footer>
`;
  return makeDocument(`${title} · Sluice`, body, `${FRAME_SCRIPT}${script}`, style);
}

/** A complete document around `body`, which is trusted HTML, with the style but without the frame. */
export function makeDocument(title: string, body: string, script = '', style = ''): Page {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" type="image/svg+xml" href="/favicon.svg">
<style>${STYLE}${style}</style>
</head>
<body>
${body}${script === '' ? '' : `<script type="module">${script}</script>\n`}</body>
</html>
`;
  return {
    html: new TextEncoder().encode(html),
    fields: Object.freeze({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': securityPolicy(script),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    }),
  };
}

/**
 * If foreign content gets into a page it may show but not run: the policy names the one script by its digest.
 * Styles are free, because the preview of a rendered document inherits the policy of the page that contains
 * it.
 */
function securityPolicy(script: string): string {
  const digest = script === '' ? '' : createHash('sha256').update(script).digest('base64');
  return [
    "default-src 'none'",
    `script-src ${script === '' ? "'none'" : `'sha256-${digest}'`}`,
    "style-src 'unsafe-inline'",
    "img-src 'self' blob: data: https:",
    "connect-src 'self'",
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'self'",
  ].join('; ');
}

export function respondPage(exchange: Exchange, status: number, page: Page): void {
  exchange.respond(status, page.fields, page.html);
}

const ENTITIES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}
