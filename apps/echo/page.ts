/** The page of the echo application. */
import { commandHtml, makePage, type Page } from '../site/page.ts';

const MAIN = `
<p>The server returns every piece while you are still sending. The response ends with trailers: the
number of bytes and their SHA-256 digest.</p>
<form id="form">
<label for="text">Text to send</label>
<textarea id="text" rows="6" spellcheck="false">Every byte in flight was granted.</textarea>
<label for="file">or a file</label>
<input id="file" type="file">
<p><button>Send</button></p>
</form>
<output id="report" aria-live="polite"></output>
<output id="echo" aria-label="What came back"></output>
<p class="soft">A browser does not show trailers to scripts. To see them, and to watch lines come back as you type them:</p>
${commandHtml('')}
${commandHtml('')}
`;

const SCRIPT = `
const form = document.getElementById('form');
const report = document.getElementById('report');
const echo = document.getElementById('echo');
// No CA has signed a certificate made for this machine, so curl must be told to accept it.
const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
const http2 = location.protocol === 'https:' ? (isLocal ? '-k --http2' : '--http2') : '--http2-prior-knowledge';
const [whole, byLine] = document.querySelectorAll('.command code');
whole.textContent = 'curl -sv ' + http2 + " --data-binary 'hello' " + location.origin + '/echo';
byLine.textContent = 'curl -sN ' + http2 + ' -T . ' + location.origin + '/echo';

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  report.classList.remove('bad');
  echo.textContent = '';
  try {
    const file = document.getElementById('file').files[0];
    const sent = file ?? new Blob([document.getElementById('text').value]);
    const started = performance.now();
    const response = await fetch('/echo', { method: 'POST', body: sent });
    if (!response.ok) throw new Error(await response.text());
    let bytes = 0;
    let pieces = 0;
    let firstMs = 0;
    const shown = [];
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      if (pieces++ === 0) firstMs = performance.now() - started;
      bytes += value.length;
      if (bytes <= 65536) shown.push(value);
      report.textContent = bytes + ' of ' + sent.size + ' bytes';
    }
    const wholeMs = performance.now() - started;
    report.textContent = bytes + ' bytes in ' + pieces + (pieces === 1 ? ' piece' : ' pieces') + '; the first after ' +
      firstMs.toFixed(1) + ' ms, all after ' + wholeMs.toFixed(1) + ' ms' + (bytes === sent.size ? '' : ': NOT what was sent');
    echo.textContent = await new Blob(shown).text();
  } catch (error) {
    report.classList.add('bad');
    report.textContent = String(error.message ?? error);
  } finally {
    button.disabled = false;
  }
});
`;

export const PAGE: Page = makePage('Echo', MAIN, SCRIPT);
