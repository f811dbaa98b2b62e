/** The page of the chat room. */
import { makePage, type Page } from '../site/page.ts';

const MAIN = `
<p>One room for everybody who has this page open. The lines come over a WebSocket: over HTTP/2 as a stream beside the
others of the connection (RFC 8441) where the browser does that, otherwise over HTTP/1.1.</p>
<div id="lines" role="log" aria-label="What was said" tabindex="0"></div>
<form id="form">
<label for="line">Say something</label>
<div class="row"><input id="line" autocomplete="off" maxlength="1000" size="50"> <button>Say it</button></div>
</form>
<p id="state" class="soft" aria-live="polite"></p>
<p class="soft">From a shell:</p>
<pre id="command"></pre>
`;

const STYLE = `
#lines { height: 16rem; overflow: auto; border: 1px solid var(--line); border-radius: 6px; padding: .5rem .8rem;
  overflow-wrap: anywhere }
#lines div { margin: .15rem 0 }
.row button { margin-top: 0 }
`;

const SCRIPT = `
const lines = document.getElementById('lines');
const state = document.getElementById('state');
const form = document.getElementById('form');
const line = document.getElementById('line');
const url = new URL('/chat/room', location.href);
document.getElementById('command').textContent = "node --experimental-websocket -e 'const s = new WebSocket(\\"" + url + "\\");" +
  " s.onmessage = ({ data }) => console.log(data);" +
  " s.onopen = () => { s.send(\\"hello from a shell\\"); setTimeout(() => s.close(), 1000) }'";

let socket;
let waitMs = 500;
function connect() {
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  socket = new WebSocket(url);
  socket.addEventListener('open', () => {
    waitMs = 500;
    lines.textContent = '';
    state.textContent = 'connected';
  });
  socket.addEventListener('message', ({ data }) => {
    const atEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 4;
    const said = document.createElement('div');
    said.textContent = data;
    lines.append(said);
    while (lines.childElementCount > 500) lines.firstElementChild.remove();
    if (atEnd) lines.scrollTop = lines.scrollHeight;
  });
  socket.addEventListener('close', ({ code, reason }) => {
    state.textContent = 'closed with ' + code + (reason === '' ? '' : ', ' + reason) + '; trying again';
    setTimeout(connect, waitMs);
    waitMs = Math.min(waitMs * 2, 20000);
  });
}
connect();

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (line.value === '' || socket.readyState !== WebSocket.OPEN) return;
  socket.send(line.value);
  line.value = '';
});
`;

export const PAGE: Page = makePage('Chat', MAIN, SCRIPT, STYLE);
