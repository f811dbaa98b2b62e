/**
 * The demonstration on the front page: runs the same requests on one event loop and on a pool, and draws them
 * thread by thread.
 */
import { commandHtml } from '../site/page.ts';

export const DEMONSTRATION_STYLE = `
#sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.2rem; margin-top: 1rem }
#sides section { border: 1px solid var(--line); border-radius: 8px; padding: .2rem 1rem 1rem }
#sides h2 { margin-top: .8rem }
#sides td + td, #sides th { white-space: nowrap }
#sides svg { display: block; width: 100%; height: auto; background: var(--code); border-radius: 6px }
#sides svg text { font: 12px system-ui, sans-serif; fill: var(--soft) }
#sides .bar { fill: var(--accent) }
#sides .bar:nth-child(even) { opacity: .72 }
#notice { margin: .8rem 0 0 }
`;

export const DEMONSTRATION = `
<p>64 requests that each compute for about 10 ms arrive at once, first at one event loop, then at a pool of threads. Meanwhile a light
request is sent again and again: to the same event loop, and to a pool of its own.</p>
<p><button id="demonstrate">Run 64 requests on each</button></p>
<div id="notice" hidden>
<p class="soft">Your browser has reached this page over HTTP/1.1 and sends only six requests at a time. Browsers speak HTTP/2 over TLS
alone: start the samples with a certificate for this machine, and open the https address that the log shows.</p>
${commandHtml('npm start -- --dev-tls')}
</div>
<div id="sides">
<section aria-labelledby="loop-title"><h2 id="loop-title">One event loop</h2>
<div id="loop-bars"></div><table id="loop-figures"></table></section>
<section aria-labelledby="pool-title"><h2 id="pool-title">Sluice, a pool of threads</h2>
<div id="pool-bars"></div><table id="pool-figures"></table></section>
</div>
<p id="verdict" role="status"></p>
`;

export const DEMONSTRATION_SCRIPT = `
const REQUESTS = 64;
const PAUSE_MS = 50;
const button = document.getElementById('demonstrate');
const [navigation] = performance.getEntriesByType('navigation');
document.getElementById('notice').hidden = navigation?.nextHopProtocol === 'h2';

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
const ms = (value) => (value < 10 ? value.toFixed(1) : Math.round(value)) + ' ms';

async function timed(path) {
  const started = performance.now();
  const response = await fetch(path, { cache: 'no-store' });
  if (!response.ok) throw new Error(path + ' was answered ' + response.status + ': ' + await response.text());
  return { ...await response.json(), latencyMs: performance.now() - started };
}

/** Runs one side and draws whenever a response arrives. */
async function run(side, workPath, pingPath, draw) {
  const answers = [];
  const pings = [];
  const sent = [];
  // One ping per interval, whether earlier ones have been answered or not.
  const pinging = setInterval(() => sent.push(timed(pingPath).then(({ latencyMs }) => pings.push(latencyMs))), PAUSE_MS);
  try {
    await Promise.all(Array.from({ length: REQUESTS }, async () => {
      answers.push(await timed(workPath));
      draw(side, answers, pings);
    }));
  } finally {
    clearInterval(pinging);
  }
  await Promise.all(sent);
  draw(side, answers, pings);
  return { answers, pings };
}

let longestMs = 0;

function draw(side, answers, pings) {
  const begin = Math.min(...answers.map(({ startedAtMs }) => startedAtMs));
  const end = Math.max(...answers.map(({ endedAtMs }) => endedAtMs));
  longestMs = Math.max(longestMs, end - begin);
  const threads = [...new Set(answers.map(({ thread }) => thread))].sort((a, b) => a - b);
  const bars = document.getElementById(side + '-bars');
  // In pixels of the page, so that labels have their own size on a narrow screen too.
  const [width, left, lane] = [Math.max(200, bars.clientWidth), 70, 26];
  const scale = (width - left - 8) / longestMs;
  const rects = answers.map(({ thread, startedAtMs, endedAtMs, waitedMs }) =>
    '<rect class="bar" x="' + (left + (startedAtMs - begin) * scale).toFixed(1) + '" y="' + (6 + threads.indexOf(thread) * lane) +
    '" width="' + Math.max(1, (endedAtMs - startedAtMs) * scale - 1).toFixed(1) + '" height="' + (lane - 8) + '"><title>waited ' +
    ms(waitedMs) + ', computed ' + ms(endedAtMs - startedAtMs) + '</title></rect>').join('');
  const names = threads.map((thread, index) =>
    '<text x="6" y="' + (19 + index * lane) + '">thread ' + thread + '</text>').join('');
  const height = threads.length * lane + 22;
  const axis = '<text x="' + left + '" y="' + (height - 6) + '">0</text><text text-anchor="end" x="' + (width - 8) + '" y="' + (height - 6) +
    '">' + ms(longestMs) + '</text>';
  bars.innerHTML = '<svg viewBox="0 0 ' + width + ' ' + height + '" role="img" aria-label="' +
    answers.length + ' requests on ' + threads.length + (threads.length === 1 ? ' thread' : ' threads') + '">' + names + '<g>' + rects + '</g>' + axis + '</svg>';
  const latencies = answers.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  const light = pings.toSorted((a, b) => a - b);
  document.getElementById(side + '-figures').innerHTML =
    '<tr><th></th><th>p50</th><th>p99</th><th>worst</th></tr>' +
    '<tr><td>CPU-heavy requests</td><td>' + ms(at(latencies, .5)) + '</td><td>' + ms(at(latencies, .99)) + '</td><td>' + ms(at(latencies, 1)) + '</td></tr>' +
    '<tr><td>light requests meanwhile</td><td>' + ms(at(light, .5)) + '</td><td>' + ms(at(light, .99)) + '</td><td>' + ms(at(light, 1)) + '</td></tr>';
}

button.addEventListener('click', async () => {
  button.disabled = true;
  longestMs = 0;
  const verdict = document.getElementById('verdict');
  verdict.classList.remove('bad');
  verdict.textContent = 'One event loop …';
  try {
    // The first requests load the module, so they are not drawn.
    await Promise.all([timed('/demo/loop/ping'), timed('/demo/ping'), timed('/demo/pool/work')]);
    const loop = await run('loop', '/demo/loop/work', '/demo/loop/ping', draw);
    verdict.textContent = 'The pool …';
    const pool = await run('pool', '/demo/pool/work', '/demo/ping', draw);
    draw('loop', loop.answers, loop.pings);
    const threads = new Set(pool.answers.map(({ thread }) => thread)).size;
    const median = (pings) => ms(at(pings.toSorted((a, b) => a - b), .5));
    verdict.textContent = 'The pool ran the requests on ' + threads + (threads === 1 ? ' thread' : ' threads') +
      '. A light request took ' + median(loop.pings) + ' (p50) beside them on one event loop, and ' + median(pool.pings) + ' here.';
  } catch (error) {
    verdict.classList.add('bad');
    verdict.textContent = String(error.message ?? error);
  } finally {
    button.disabled = false;
  }
});
`;
