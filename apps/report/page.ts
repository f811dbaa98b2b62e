/** The page of the report. */
import { makePage, type Page } from '../site/page.ts';

const MAIN = `
<p>Finds the primes among some millions of numbers by trial division: seconds of work, split into parts that the threads of a pool
take one after the other. Leave the page or press Stop, and the parts end where they are.</p>
<form id="form">
<label for="numbers">Numbers</label>
<input id="numbers" type="number" min="8" max="50000000" value="4000000">
<p class="row"><button id="run">Make the report</button> <button type="button" id="stop" disabled>Stop</button></p>
</form>
<div id="parts"></div>
<output id="result" aria-live="polite"></output>
<h2>Which thread did what</h2>
<pre id="threads">nothing yet</pre>
`;

const STYLE = `
#parts div { display: flex; gap: 1rem; align-items: center }
#parts progress { flex: 1 }
#parts span { min-width: 13rem }
#result { margin-top: .5rem }
`;

const SCRIPT = `
const [run, stop, parts, result, threads] = ['run', 'stop', 'parts', 'result', 'threads'].map((id) => document.getElementById(id));
let controller;
async function* linesOf(response) {
  let rest = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\\n');
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}
function makeBars(count) {
  parts.textContent = '';
  return Array.from({ length: count }, (_, part) => {
    const row = document.createElement('div');
    const bar = document.createElement('progress');
    const text = document.createElement('span');
    text.textContent = 'waits';
    row.append(bar, text);
    bar.value = 0;
    bar.setAttribute('aria-label', 'Part ' + (part + 1));
    parts.append(row);
    return { bar, text };
  });
}
document.getElementById('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  controller = new AbortController();
  run.disabled = true;
  stop.disabled = false;
  result.textContent = '';
  const looked = new Map();
  let bars = [];
  try {
    const url = '/report/run?numbers=' + document.getElementById('numbers').value;
    const response = await fetch(url, { signal: controller.signal });
    if (!response.ok) throw new Error(await response.text());
    for await (const line of linesOf(response)) {
      if (line.parts !== undefined) bars = makeBars(line.parts);
      else if (line.part === undefined) result.textContent = line.primes + ' primes, at most ' + line.largestGap + ' apart';
      else {
        const { bar, text } = bars[line.part];
        looked.set(line.thread, (looked.get(line.thread) ?? 0) + line.done - bar.value);
        bar.max = line.of;
        bar.value = line.done;
        text.textContent = line.primes + ' primes, thread ' + line.thread;
        threads.textContent = [...looked].map(([id, count]) => 'thread ' + id + ' has looked at ' + count + ' numbers').join('\\n');
      }
    }
  } catch (error) {
    result.textContent = controller.signal.aborted ? 'stopped' : String(error);
  } finally {
    run.disabled = false;
    stop.disabled = true;
  }
});
stop.addEventListener('click', () => controller.abort());
`;

export const PAGE: Page = makePage('Report', MAIN, SCRIPT, STYLE);
