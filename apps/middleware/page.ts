/** The page of the gallery. */
import { commandHtml, makePage, type Page } from '../site/page.ts';
import { FORMS } from './catalogue.ts';

const OPTIONS = FORMS.map((form) => `<option>${form}</option>`).join('');
const LAYERS = ['outer', 'middle', 'inner']
  .map(
    (place) =>
      `<div><label for="${place}">The ${place} layer</label><select id="${place}" name="layer"><option value="">nothing</option>${OPTIONS}</select></div>`,
  )
  .join('\n');

const MAIN = `
<p>Put middleware around an application that uses everything that an exchange offers, and see which features still work.
Legacy layers are well-known Connect packages.</p>
<form id="form">
<div class="row">${LAYERS}</div>
<label for="text">Text to send</label>
<textarea id="text" rows="2">echo</textarea>
<p><button>Run</button></p>
</form>
<output id="report" aria-live="polite"></output>
${commandHtml('', 'curl')}
`;

const SCRIPT = `
const form = document.getElementById('form');
const report = document.getElementById('report');
const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
const http2 = location.protocol === 'https:' ? (isLocal ? '-k --http2' : '--http2') : '--http2-prior-knowledge';
const stack = () => [...form.elements.layer].map((each) => each.value).filter((each) => each !== '').join(',');
const showCommand = () => {
  document.getElementById('curl').textContent = 'curl -sv ' + http2 + ' -u "gallery:open sesame" -H "x-stack: ' + stack() +
    '" ' + location.origin + '/middleware/run/under/page';
};
form.addEventListener('change', showCommand);
showCommand();

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  report.classList.remove('bad');
  try {
    const response = await fetch('/middleware/run/under/page', {
      method: 'POST',
      headers: { 'x-stack': stack(), authorization: 'Basic ' + btoa('gallery:open sesame') },
      body: document.getElementById('text').value,
    });
    const lines = [response.status + ' ' + response.statusText];
    for (const [name, value] of response.headers) lines.push(name + ': ' + value);
    lines.push('', await response.text());
    report.textContent = lines.join('\\n');
  } catch (error) {
    report.classList.add('bad');
    report.textContent = String(error.message ?? error);
  }
});
`;

export const PAGE: Page = makePage('Middleware', MAIN, SCRIPT);
