/** The front page: a demonstration, a list of the sample applications, and commands that work when pasted. */
import type { Exchange } from '../../workers/gateway.ts';
import { ping } from '../demo/app.ts';
import { commandHtml, escapeHtml, LOGO, makePage, respondPage } from '../site/page.ts';
import { answer, type Resources } from '../site/routing.ts';
import { DEMONSTRATION, DEMONSTRATION_SCRIPT, DEMONSTRATION_STYLE } from './demonstration.ts';

interface Sample {
  readonly path: string;
  readonly does: string;
  /**
   * Shell commands. `ORIGIN` is replaced by scheme and authority, `CURL` by curl with the options for HTTP/2,
   * `NODE` by node, which accepts a certificate made for this machine.
   */
  readonly commands: readonly string[];
}

const SAMPLES: readonly Sample[] = [
  {
    path: '/hello',
    does: 'The smallest application: one response of 13 bytes.',
    commands: [`CURL -i ORIGIN/hello`],
  },
  {
    path: '/echo',
    does: 'Returns every piece as it arrives, with a count and a digest as trailers. The second command echoes what you type, line by line.',
    commands: [`CURL -v --data-binary 'hello' ORIGIN/echo`, `CURL -N -T . ORIGIN/echo`],
  },
  {
    path: '/chat',
    does: 'Chat rooms over WebSockets, with members on several threads.',
    commands: [
      `NODE --experimental-websocket -e 'const s = new WebSocket("ORIGIN/chat/room"); s.onmessage = ({ data }) => console.log(data); s.onopen = () => { s.send("hello from a shell"); setTimeout(() => s.close(), 1000) }'`,
    ],
  },
  {
    path: '/render',
    does: 'Renders Markdown to an HTML page with highlighted code.',
    commands: [
      `printf '# Hello\\n\\n\`\`\`js\\nconst answer = 42\\n\`\`\`\\n' | CURL -H 'content-type: text/markdown' --data-binary @- ORIGIN/render`,
    ],
  },
  {
    path: '/thumbnail',
    does: 'Resizes a PNG or JPEG. The command fetches a sample picture and resizes it.',
    commands: [
      `CURL ORIGIN/thumbnail/sample.png | CURL -H 'content-type: image/png' --data-binary @- -o thumbnail.png 'ORIGIN/thumbnail?width=200'`,
    ],
  },
  {
    path: '/middleware',
    does: 'Mixes native middleware with well-known Connect packages, and shows which features of an exchange each stack keeps.',
    commands: [
      `CURL -H 'x-stack: native/etag,legacy/response-fields,legacy/timing' -d 'hello' ORIGIN/middleware/run/page`,
    ],
  },
  {
    path: '/notify',
    does: 'Web Push (RFC 8030): subscribe, send, and receive by server push on one open exchange. The command subscribes, sends a message and fetches it.',
    commands: [
      `MADE=$(CURL -i -X POST ORIGIN/notify/subscribe | tr -d '\\r'); CURL -H 'ttl: 60' -d hello "ORIGIN$(echo "$MADE" | sed -n 's/^link: <\\([^>]*\\)>; rel="urn:ietf:params:push"$/\\1/p')"; CURL "ORIGIN$(echo "$MADE" | sed -n 's/^location: //p')"`,
    ],
  },
  {
    path: '/counter',
    does: 'Counters that exist once in the process, whichever thread a request reaches, and that survive a reload.',
    commands: [`CURL -X POST 'ORIGIN/counter/value?name=mine'`],
  },
  {
    path: '/report',
    does: 'A long computation, split over a pool of threads, with partial results. It stops when its reader leaves.',
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

/** No CA has signed a certificate made for this machine, so curl and Node must be told to accept it. */
const LOCAL = /^https:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::|$)/;

/**
 * What may be unquoted in a shell command: a name, an IPv4 address or a bracketed IPv6 address, with a port.
 */
const PLAIN_AUTHORITY = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const DEFAULT_AUTHORITY = '127.0.0.1:8080';

const RESOURCES: Resources = new Map([
  ['/', { GET: showIndex }],
  ['/favicon.svg', { GET: showLogo }],
  // Browsers ask for it beside an answer that is no page, such as that of /hello.
  ['/favicon.ico', { GET: showLogo }],
  ['/demo/ping', { GET: ping }],
]);

export default function index(exchange: Exchange): Promise<void> {
  const { path, method } = exchange.request;
  const isResource = RESOURCES.get(path.split('?', 1)[0] as string) !== undefined;
  if (!isResource && (method === 'GET' || method === 'HEAD')) return showNotFound(exchange);
  return answer(exchange, RESOURCES);
}

function showIndex(exchange: Exchange): void {
  const { scheme, authority } = exchange.request;
  // The peer chooses both values, and both end up in a shell.
  const secure = scheme === 'https';
  const origin = `http${secure ? 's' : ''}://${PLAIN_AUTHORITY.test(authority) ? authority : DEFAULT_AUTHORITY}`;
  // Over TLS the protocol is negotiated. In cleartext curl must be told that this server supports HTTP/2.
  const curl = secure
    ? `curl -s ${LOCAL.test(origin) ? '-k ' : ''}--http2`
    : 'curl -s --http2-prior-knowledge';
  const node = LOCAL.test(origin) ? 'NODE_TLS_REJECT_UNAUTHORIZED=0 node' : 'node';
  const samples = SAMPLES.map((sample) => sampleHtml(sample, curl, node, origin)).join('\n');
  respondPage(
    exchange,
    200,
    makePage(
      'CPU-heavy requests on every core',
      `${DEMONSTRATION}<h1>Sample applications</h1>
<p>Each application runs on worker threads of its own pool, and one thread owns the sockets. Open a page, or paste a command.</p>
${samples}`,
      DEMONSTRATION_SCRIPT,
      DEMONSTRATION_STYLE,
    ),
  );
}

function sampleHtml(sample: Sample, curl: string, node: string, origin: string): string {
  const commands = sample.commands
    .map((command) => command.replace('NODE', node).replaceAll('CURL', curl).replaceAll('ORIGIN', origin))
    .map((command) => commandHtml(command))
    .join('\n');
  return `<section>
<h2><a href="${sample.path}">${sample.path}</a></h2>
<p>${escapeHtml(sample.does)}</p>
${commands}
</section>`;
}

function showLogo(exchange: Exchange): void {
  exchange.respond(200, { 'content-type': 'image/svg+xml', 'cache-control': 'public, max-age=86400' }, LOGO);
}

async function showNotFound(exchange: Exchange): Promise<void> {
  const path = exchange.request.path.slice(0, 200);
  const main = `<p>There is nothing at <code>${escapeHtml(path)}</code>. The <a href="/">front page</a> lists the sample applications.</p>`;
  respondPage(exchange, 404, makePage('Not found', main));
}
