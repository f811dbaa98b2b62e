/** The page of the counters. */
import { makePage, type Page } from '../site/page.ts';

const MAIN = `
<p>Each name has one counter in the whole process: an actor that lives on one thread, whichever threads the requests come to. After
<code>sluice reload</code> the counter moves to another thread and keeps its value.</p>
<form id="form">
<label for="name">Name</label>
<input id="name" autocomplete="off" maxlength="40" size="30" value="first" required>
<p class="row"><button>Push</button> <button type="button" id="many">Push 100 times at once</button></p>
</form>
<output id="count" aria-live="polite"></output>
<h2>Which thread did what</h2>
<pre id="threads">nothing yet</pre>
`;

const SCRIPT = `
const name = document.getElementById('name');
const output = document.getElementById('count');
const threads = document.getElementById('threads');
const asked = new Map();
// Responses from several threads arrive in any order. The highest count of those to one click is the current
// one.
let shown = -1;
async function ask(method) {
  const response = await fetch('/counter/value?name=' + encodeURIComponent(name.value), { method });
  output.classList.toggle('bad', !response.ok);
  if (!response.ok) { output.textContent = await response.text(); return }
  const { n, thread, lives, askedBy } = await response.json();
  asked.set(askedBy, (asked.get(askedBy) ?? 0) + 1);
  if (n > shown) output.textContent = shown = n;
  const callers = [...asked].sort(([a], [b]) => a - b)
    .map(([id, times]) => 'thread ' + id + ': ' + times + (times === 1 ? ' request' : ' requests'));
  threads.textContent = 'the counter: thread ' + thread + ', its instance no. ' + lives + '\\nasked by\\n  ' + callers.join('\\n  ');
}
document.getElementById('form').addEventListener('submit', (event) => { event.preventDefault(); shown = -1; void ask('POST') });
document.getElementById('many').addEventListener('click', () => { shown = -1; for (let i = 0; i < 100; i++) void ask('POST') });
name.addEventListener('change', () => { shown = -1; void ask('GET') });
void ask('GET');
`;

export const PAGE: Page = makePage('Counter', MAIN, SCRIPT);
