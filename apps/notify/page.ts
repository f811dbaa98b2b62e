/**
 * The page of the notification service. A browser accepts no server push, so the page asks for one message
 * after the other.
 */
import { makePage, type Page } from '../site/page.ts';

const MAIN = `
<p>A Web Push service (RFC 8030). Subscribe, and send yourself a message from here or from a shell. The service keeps messages
that are sent while no client is connected. A client that takes server pushes gets every message on one open exchange; a browser
asks for the next.</p>
<form id="subscribe"><p><button>Subscribe</button></p></form>
<output id="subscription"></output>
<form id="send" hidden>
<label for="message">Message</label>
<input id="message" size="40" maxlength="1000" required>
<p><button>Send</button></p>
</form>
<output id="received" aria-live="polite"></output>
`;

const SCRIPT = `
const $ = (id) => document.getElementById(id);
let push = '';
$('subscribe').addEventListener('submit', async (event) => {
  event.preventDefault();
  const made = await fetch('/notify/subscribe', { method: 'POST' });
  if (!made.ok) { $('subscription').textContent = await made.text(); return; }
  push = /<([^>]*)>; rel="urn:ietf:params:push"/.exec(made.headers.get('link'))[1];
  const subscription = made.headers.get('location');
  $('subscription').textContent = 'Send to:\\ncurl -i -H "ttl: 60" -d hello ' + new URL(push, location);
  $('subscribe').hidden = true;
  $('send').hidden = false;
  listen(subscription);
});
$('send').addEventListener('submit', async (event) => {
  event.preventDefault();
  const body = $('message').value;
  $('message').value = '';
  await fetch(push, { method: 'POST', headers: { ttl: '600', 'content-type': 'text/plain; charset=utf-8' }, body });
});
async function listen(subscription) {
  for (;;) {
    try {
      const message = await fetch(subscription);
      if (message.status === 404) return;
      if (message.status !== 200) continue;
      const text = await message.text();
      $('received').textContent += new Date().toLocaleTimeString() + '  ' + text + '\\n';
      await fetch(message.headers.get('content-location'), { method: 'DELETE' });
    } catch (error) {
      $('received').textContent += String(error) + '\\n';
      await new Promise((resolve) => setTimeout(resolve, 5000));
    }
  }
}
`;

export const PAGE: Page = makePage('Notify', MAIN, SCRIPT);
