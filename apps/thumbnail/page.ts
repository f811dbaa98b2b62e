/** The page of the thumbnail application. */
import { makePage, type Page } from '../site/page.ts';

const STYLE = `
figure { margin: 1rem 0 }
figure img { max-width: 100%; border: 1px solid var(--line); border-radius: 6px }
`;

const MAIN = `
<p>A PNG or a JPEG comes back smaller, in its own shape and upright. Without a file the
<a href="/thumbnail/sample.png">sample picture</a> is used.</p>
<form id="form">
<label for="file">Image, at most 16 MiB</label>
<input id="file" type="file" accept="image/png,image/jpeg">
<div class="row">
<div><label for="width">Width</label><input id="width" type="number" min="1" max="2048" value="200"></div>
<div><label for="height">Height</label><input id="height" type="number" min="1" max="2048" placeholder="any"></div>
<div><label for="format">Format</label>
<select id="format"><option value="">as it is</option><option value="png">PNG</option><option value="jpeg">JPEG</option></select></div>
<div><label for="quality">JPEG quality</label><input id="quality" type="number" min="1" max="100" value="80"></div>
</div>
<p><button>Resize</button></p>
</form>
<output id="report" aria-live="polite"></output>
<figure id="result" hidden><img id="image" alt="The thumbnail"></figure>
`;

const SCRIPT = `
const form = document.getElementById('form');
const report = document.getElementById('report');
const result = document.getElementById('result');
const image = document.getElementById('image');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  try {
    const query = new URLSearchParams();
    for (const name of ['width', 'height', 'format', 'quality']) {
      const value = document.getElementById(name).value;
      if (value !== '') query.set(name, value);
    }
    const file = document.getElementById('file').files[0] ?? (await (await fetch('/thumbnail/sample.png')).blob());
    const started = performance.now();
    const response = await fetch('/thumbnail?' + query, { method: 'POST', body: file });
    report.classList.toggle('bad', !response.ok);
    if (!response.ok) {
      result.hidden = true;
      report.textContent = (await response.text()).trim();
      return;
    }
    const blob = await response.blob();
    const ms = Math.round(performance.now() - started);
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(blob);
    result.hidden = false;
    await image.decode();
    report.textContent = image.naturalWidth + ' × ' + image.naturalHeight + ' pixels, ' + blob.size + ' bytes instead of ' +
      file.size + ', in ' + ms + ' ms';
  } catch (error) {
    report.classList.add('bad');
    report.textContent = String(error);
  } finally {
    button.disabled = false;
  }
});
`;

export const PAGE: Page = makePage('Thumbnail', MAIN, SCRIPT, STYLE);
