/** The page of the chat room. */
import { commandHtml, makePage, type Page } from '../site/page.ts';

const MAIN = `
<p>Rooms for everybody who has this page open. The members of a room are spread over the threads of the server; each line shows
the thread that has its sender's socket, and the thread that has yours. A topic carries each line once to each thread. Lines arrive over
a WebSocket: over HTTP/2, as one stream of the connection (RFC 8441), if the browser supports that, otherwise over HTTP/1.1.</p>
<div id="lines" role="log" aria-label="What was said" tabindex="0"></div>
<form id="form">
<label for="room">Room</label>
<input id="room" autocomplete="off" maxlength="40" size="20" pattern="[A-Za-z0-9_\\-]+">
<label for="line">Say something</label>
<div class="row"><input id="line" autocomplete="off" maxlength="1000" size="50"> <button>Say it</button></div>
</form>
<p id="state" class="soft" aria-live="polite"></p>
<p class="soft">From a shell:</p>
${commandHtml('', 'command')}
`;

const STYLE = `
#lines { height: 16rem; overflow: auto; border: 1px solid var(--line); border-radius: 6px; padding: .5rem .8rem;
  overflow-wrap: anywhere }
#lines div { margin: .15rem 0 }
#lines small { float: right; margin-left: 1rem }
.row button { margin-top: 0; align-self: flex-start }
`;

const SCRIPT = `
const lines = document.getElementById('lines');
const state = document.getElementById('state');
const form = document.getElementById('form');
const line = document.getElementById('line');
const room = document.getElementById('room');
const url = new URL('/chat/room', location.href);
room.value = new URLSearchParams(location.search).get('room') ?? 'lobby';
url.searchParams.set('name', room.value);
room.addEventListener('change', () => { if (room.reportValidity()) location.search = '?room=' + room.value });
// No CA has signed a certificate made for this machine.
const node = url.protocol === 'https:' && /^(localhost|127\\.0\\.0\\.1|\\[::1\\])$/.test(url.hostname)
  ? 'NODE_TLS_REJECT_UNAUTHORIZED=0 node' : 'node';
document.getElementById('command').textContent = node + " --experimental-websocket -e 'const s = new WebSocket(\\"" + url + "\\");" +
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
    const { from, text, saidOn, toldBy } = JSON.parse(data);
    said.textContent = from === '' ? text : from + ': ' + text;
    if (from === '') said.className = 'soft';
    const threads = document.createElement('small');
    threads.className = 'soft';
    threads.textContent = 'thread ' + saidOn + (saidOn === toldBy ? '' : ' → ' + toldBy);
    said.prepend(threads);
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
