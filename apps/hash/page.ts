/** The page of the hash application. */
import { makePage, type Page } from '../site/page.ts';

const MAIN = `
<p>Argon2id in WebAssembly with 19 MiB of memory and two passes: about as much work as a login should cost. The
password goes to this server and nowhere else, and is not kept.</p>
<form id="hash">
<label for="password">Password</label>
<input id="password" type="password" autocomplete="off" size="40" maxlength="1024" required>
<p><button>Hash</button></p>
</form>
<output id="hashed" aria-live="polite"></output>
<h2>Verify</h2>
<form id="verify">
<label for="candidate">Password</label>
<input id="candidate" type="password" autocomplete="off" size="40" maxlength="1024" required>
<label for="encoded">Hash</label>
<textarea id="encoded" rows="2" spellcheck="false" required></textarea>
<p><button>Verify</button></p>
</form>
<output id="verified" aria-live="polite"></output>
`;

const SCRIPT = `
function handle(formId, outputId, send) {
  const form = document.getElementById(formId);
  const output = document.getElementById(outputId);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('button');
    button.disabled = true;
    const started = performance.now();
    try {
      const response = await send();
      const text = (await response.text()).trim();
      output.classList.toggle('bad', !response.ok);
      const ms = Math.round(performance.now() - started);
      output.textContent = response.ok ? shown(text) + '\\n' + ms + ' ms' : text;
    } catch (error) {
      output.classList.add('bad');
      output.textContent = String(error);
    } finally {
      button.disabled = false;
    }
  });
}
function shown(text) {
  if (!text.startsWith('{')) {
    document.getElementById('encoded').value = text;
    return text;
  }
  return JSON.parse(text).ok ? 'The password is right.' : 'The password is wrong.';
}
const valueOf = (id) => document.getElementById(id).value;
handle('hash', 'hashed', () => fetch('/hash', { method: 'POST', body: valueOf('password') }));
handle('verify', 'verified', () => fetch('/hash/verify', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ password: valueOf('candidate'), hash: valueOf('encoded').trim() }),
}));
`;

export const PAGE: Page = makePage('Hash', MAIN, SCRIPT);
