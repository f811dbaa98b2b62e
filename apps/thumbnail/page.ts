/** The page of the thumbnail application. */
import { makePage, type Page } from '../site/page.ts';

const STYLE = `
figure { margin: 1rem 0 }
figure img { max-width: 100%; border: 1px solid var(--line); border-radius: 6px }
`;

const MAIN = `
<p>Send a PNG or a JPEG and get it back smaller, with its proportions and upright. If you choose no file, the
<a href="/thumbnail/sample.png">sample picture</a> is sent.</p>
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
<label for="progress" id="progress-label" hidden>Upload</label>
<progress id="progress" max="1" value="0" hidden></progress>
<output id="report" aria-live="polite"></output>
<figure id="result" hidden><img id="image" alt="The thumbnail"></figure>
`;

const SCRIPT = `
const form = document.getElementById('form');
const report = document.getElementById('report');
const result = document.getElementById('result');
const image = document.getElementById('image');
const progress = document.getElementById('progress');
const progressLabel = document.getElementById('progress-label');
// Not fetch, which reports no progress of an upload.
function upload(url, file) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const request = new XMLHttpRequest();
  request.open('POST', url);
  request.responseType = 'blob';
  request.upload.addEventListener('progress', ({ loaded, total }) => { progress.value = total === 0 ? 1 : loaded / total });
  request.addEventListener('load', () => resolve({ ok: request.status < 300, blob: request.response }));
  request.addEventListener('error', () => reject(new Error('the connection was lost')));
  request.send(file);
  return promise;
}
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
    progress.value = 0;
    progress.hidden = progressLabel.hidden = false;
    const { ok, blob } = await upload('/thumbnail?' + query, file);
    report.classList.toggle('bad', !ok);
    if (!ok) {
      result.hidden = true;
      report.textContent = (await blob.text()).trim();
      return;
    }
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
    progress.hidden = progressLabel.hidden = true;
  }
});
`;

export const PAGE: Page = makePage('Thumbnail', MAIN, SCRIPT, STYLE);
