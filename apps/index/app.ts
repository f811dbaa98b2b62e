/**
 * The front page: what the sample applications are, and commands that work when pasted.
 */
import type { Exchange } from '../../workers/gateway.ts';
import { escapeHtml, makePage, respondPage } from '../site/page.ts';
import { answer, type Resources } from '../site/routing.ts';

interface Sample {
  readonly path: string;
  readonly does: string;
  /** Shell commands; `ORIGIN` stands for scheme and authority, `CURL` for curl speaking HTTP/2 to it. */
  readonly commands: readonly string[];
}

const SAMPLES: readonly Sample[] = [
  { path: '/hello', does: 'The smallest response there is.', commands: [`CURL -i ORIGIN/hello`] },
  {
    path: '/echo',
    does: 'Sends every piece back as it arrives, with a count and a digest as trailers. The second command echoes what you type, line by line.',
    commands: [`CURL -v --data-binary 'hello' ORIGIN/echo`, `CURL -N -T . ORIGIN/echo`],
  },
  {
    path: '/chat',
    does: 'Rooms for everybody, over WebSockets, with members on several threads: its page, or from a shell.',
    commands: [
      `node --experimental-websocket -e 'const s = new WebSocket("ORIGIN/chat/room"); s.onmessage = ({ data }) => console.log(data); s.onopen = () => { s.send("hello from a shell"); setTimeout(() => s.close(), 1000) }'`,
    ],
  },
  {
    path: '/render',
    does: 'Renders Markdown to a whole HTML page with highlighted code.',
    commands: [
      `printf '# Hello\\n\\n\`\`\`js\\nconst answer = 42\\n\`\`\`\\n' | CURL -H 'content-type: text/markdown' --data-binary @- ORIGIN/render`,
    ],
  },
  {
    path: '/thumbnail',
    does: 'Resizes a PNG or JPEG. The command makes a sample picture and sends it through.',
    commands: [
      `CURL ORIGIN/thumbnail/sample.png | CURL -H 'content-type: image/png' --data-binary @- -o thumbnail.png 'ORIGIN/thumbnail?width=200'`,
    ],
  },
  {
    path: '/middleware',
    does: 'Middleware in its native form and in the packages that everybody knows, mixed: what the layers leave of an exchange, and what they withhold.',
    commands: [
      `CURL -H 'x-stack: native/etag,legacy/response-fields,legacy/timing' -d 'hello' ORIGIN/middleware/run/page`,
    ],
  },
  {
    path: '/notify',
    does: 'Web Push (RFC 8030): subscribe, send, and receive by server push on one open exchange. The command subscribes, sends, and fetches what was sent.',
    commands: [
      `MADE=$(CURL -i -X POST ORIGIN/notify/subscribe | tr -d '\\r'); CURL -H 'ttl: 60' -d hello "ORIGIN$(echo "$MADE" | sed -n 's/^link: <\\([^>]*\\)>; rel="urn:ietf:params:push"$/\\1/p')"; CURL "ORIGIN$(echo "$MADE" | sed -n 's/^location: //p')"`,
    ],
  },
  {
    path: '/counter',
    does: 'Counters that exist once each, whichever thread is asked, and go on after a reload.',
    commands: [`CURL -X POST 'ORIGIN/counter/value?name=mine'`],
  },
  {
    path: '/report',
    does: 'A long computation, split over a pool of threads: partial results as they come, and an end when nobody reads on.',
    commands: [`CURL -N 'ORIGIN/report/run?numbers=2000000'`],
  },
  {
    path: '/hash',
    does: 'Hashes a password with Argon2id in WebAssembly, and verifies one.',
    commands: [
      `CURL -d 'correct horse battery staple' ORIGIN/hash`,
      `HASH=$(CURL -d 'secret' ORIGIN/hash); CURL -H 'content-type: application/json' -d '{"password":"secret","hash":"'"$HASH"'"}' ORIGIN/hash/verify`,
    ],
  },
];

/** A certificate for this machine alone is nobody's but its own: curl has to be told to take it. */
const LOCAL = /^https:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::|$)/;

/** What may stand unquoted in a shell command: a name, an IPv4 or a bracketed IPv6 address, with a port. */
const PLAIN_AUTHORITY = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const DEFAULT_AUTHORITY = '127.0.0.1:8080';

const RESOURCES: Resources = new Map([['/', { GET: showIndex }]]);

export default function index(exchange: Exchange): Promise<void> {
  const { path, method } = exchange.request;
  const isResource = path === '/' || path.startsWith('/?');
  if (!isResource && (method === 'GET' || method === 'HEAD')) return showNotFound(exchange);
  return answer(exchange, RESOURCES);
}

function showIndex(exchange: Exchange): void {
  const { scheme, authority } = exchange.request;
  // Both are the peer's to choose, and both end in a shell.
  const secure = scheme === 'https';
  const origin = `http${secure ? 's' : ''}://${PLAIN_AUTHORITY.test(authority) ? authority : DEFAULT_AUTHORITY}`;
  // Over TLS the protocol is negotiated; in cleartext curl has to be told that this server speaks HTTP/2.
  const curl = secure
    ? `curl -s ${LOCAL.test(origin) ? '-k ' : ''}--http2`
    : 'curl -s --http2-prior-knowledge';
  const samples = SAMPLES.map((sample) => sampleHtml(sample, curl, origin)).join('\n');
  respondPage(
    exchange,
    200,
    makePage(
      'Sample applications',
      `<p>Each runs on worker threads of its own pool; one thread owns the sockets. Open a page, or paste a command.</p>\n${samples}`,
    ),
  );
}

function sampleHtml(sample: Sample, curl: string, origin: string): string {
  const commands = sample.commands
    .map((command) => command.replaceAll('CURL', curl).replaceAll('ORIGIN', origin))
    .join('\n');
  return `<section>
<h2><a href="${sample.path}">${sample.path}</a></h2>
<p>${escapeHtml(sample.does)}</p>
<pre><code>${escapeHtml(commands)}</code></pre>
</section>`;
}

async function showNotFound(exchange: Exchange): Promise<void> {
  const path = exchange.request.path.slice(0, 200);
  const main = `<p>There is nothing at <code>${escapeHtml(path)}</code>. The <a href="/">front page</a> lists what there is.</p>`;
  respondPage(exchange, 404, makePage('Not found', main));
}
