/**
 * Header stories: what a connection carries, message after message, in the manner of the published hpack-test-case
 * collection. Deterministic: a story is the same in every run.
 */

export interface StoryExchange {
  /** Name, value, name, value…, pseudo-fields first. */
  request: string[];
  status: number;
  response: string[];
  trailers?: string[];
}

export interface Story {
  name: string;
  exchanges: StoryExchange[];
}

/** mulberry32: small, and the same everywhere. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function hex(next: () => number, digits: number): string {
  return Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join('');
}

function below(next: () => number, limit: number): number {
  return Math.floor(next() * limit);
}

const START_MS = Date.UTC(2025, 9, 21, 10, 0, 0);

function httpDate(seconds: number): string {
  return new Date(START_MS + seconds * 1000).toUTCString();
}

/** Pages with their styles, scripts and images; cookies that change; conditional requests from the second visit on. */
function browser(): Story {
  const next = random(1);
  const agent =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';
  const kinds = [
    { suffix: 'css', type: 'text/css; charset=utf-8', accept: 'text/css,*/*;q=0.1', dest: 'style' },
    { suffix: 'js', type: 'text/javascript; charset=utf-8', accept: '*/*', dest: 'script' },
    { suffix: 'avif', type: 'image/avif', accept: 'image/avif,image/webp,image/*,*/*;q=0.8', dest: 'image' },
  ];
  const exchanges: StoryExchange[] = [];
  let cookie = `session=${hex(next, 32)}`;
  const etags = new Map<string, string>();
  for (let page = 0; page < 4; page++) {
    const path = ['/', '/articles/', '/articles/flow-control?ref=home', '/'][page];
    const setCookie = `session=${hex(next, 32)}`;
    exchanges.push({
      request: [
        ...[':method', 'GET', ':scheme', 'http', ':authority', 'shop.example.com', ':path', path],
        ...['cache-control', 'max-age=0', 'upgrade-insecure-requests', '1', 'user-agent', agent],
        ...['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'],
        ...['sec-fetch-site', 'none', 'sec-fetch-mode', 'navigate', 'sec-fetch-dest', 'document'],
        ...['accept-encoding', 'gzip, deflate, br, zstd', 'accept-language', 'de-AT,de;q=0.9,en;q=0.8'],
        ...['cookie', cookie, 'priority', 'u=0, i'],
      ],
      status: 200,
      response: [
        ...[
          'content-type',
          'text/html; charset=utf-8',
          'date',
          httpDate(page * 20),
          'vary',
          'accept-encoding',
        ],
        ...['set-cookie', `${setCookie}; Path=/; Secure; HttpOnly; SameSite=Lax`],
        ...['set-cookie', `seen=${page}; Path=/`],
        ...['content-length', String(4000 + below(next, 60_000)), 'x-request-id', hex(next, 24)],
        ...['strict-transport-security', 'max-age=31536000', 'content-security-policy', "default-src 'self'"],
      ],
    });
    cookie = `${setCookie}; seen=${page}`;
    for (let i = 0; i < 12; i++) {
      const kind = kinds[i % kinds.length];
      const asset = `/assets/${kind.dest}-${i}.${kind.suffix}`;
      const known = etags.get(asset);
      const etag = known ?? `"${hex(next, 16)}"`;
      etags.set(asset, etag);
      exchanges.push({
        request: [
          ...[':method', 'GET', ':scheme', 'http', ':authority', 'shop.example.com', ':path', asset],
          ...['user-agent', agent, 'accept', kind.accept, 'sec-fetch-site', 'same-origin'],
          ...['sec-fetch-mode', 'no-cors', 'sec-fetch-dest', kind.dest],
          ...['referer', `http://shop.example.com${path}`],
          ...['accept-encoding', 'gzip, deflate, br, zstd', 'accept-language', 'de-AT,de;q=0.9,en;q=0.8'],
          ...['cookie', cookie],
          ...(known === undefined ? [] : ['if-none-match', known]),
        ],
        status: known === undefined ? 200 : 304,
        response: [
          ...[
            'date',
            httpDate(page * 20 + 1 + (i >> 2)),
            'etag',
            etag,
            'cache-control',
            'public, max-age=3600',
          ],
          ...(known === undefined
            ? ['content-type', kind.type, 'content-length', String(below(next, 200_000))]
            : []),
        ],
      });
    }
  }
  return { name: 'a browser that visits four pages', exchanges };
}

/** A service that calls another: credentials, ids that never repeat, every kind of status. */
function api(): Story {
  const next = random(2);
  const token = `Bearer ${hex(next, 180)}`;
  const statuses = [200, 201, 202, 204, 206, 301, 400, 401, 403, 404, 409, 429, 500, 503];
  const exchanges = Array.from({ length: 60 }, (_, i): StoryExchange => {
    const method = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'][below(next, 5)];
    const status = i < 20 ? 200 : statuses[i % statuses.length];
    return {
      request: [
        ...[':method', method, ':scheme', 'http', ':authority', 'api.example.net:8443'],
        ...[':path', `/v2/orders/${below(next, 1e6)}/items?limit=${below(next, 4) * 25}`],
        ...['authorization', token, 'accept', 'application/json', 'user-agent', 'orders/3.14.1'],
        ...['x-request-id', hex(next, 32), 'traceparent', `00-${hex(next, 32)}-${hex(next, 16)}-01`],
      ],
      status,
      response: [
        ...['content-type', 'application/json', 'date', httpDate(i >> 3)],
        // A 204 has none (RFC 9110 section 8.6).
        ...(status === 204 ? [] : ['content-length', String(below(next, 3) * 100 + 13)]),
        ...['x-ratelimit-limit', '1000', 'x-ratelimit-remaining', String(1000 - i)],
        ...(status === 201 ? ['location', `/v2/orders/${below(next, 1e6)}`] : []),
        ...(status === 429 || status === 503 ? ['retry-after', '2'] : []),
        ...(status === 401 ? ['www-authenticate', 'Bearer realm="orders"'] : []),
      ],
    };
  });
  return { name: 'a service that calls an API', exchanges };
}

function grpc(): Story {
  const next = random(3);
  const exchanges = Array.from({ length: 40 }, (_, i): StoryExchange => {
    const method = ['GetFeature', 'ListFeatures', 'RecordRoute'][i % 3];
    return {
      request: [
        ...[':method', 'POST', ':scheme', 'http', ':authority', 'routes.internal:50051'],
        ...[':path', `/routeguide.RouteGuide/${method}`, 'te', 'trailers'],
        ...['content-type', 'application/grpc+proto', 'grpc-accept-encoding', 'identity,deflate,gzip'],
        ...['grpc-timeout', `${below(next, 900) + 100}m`, 'user-agent', 'grpc-node-js/1.13.0'],
        ...['auth-bin', hex(next, 40)],
      ],
      status: 200,
      response: ['content-type', 'application/grpc+proto', 'grpc-encoding', 'identity'],
      trailers:
        i % 7 === 6
          ? ['grpc-status', '5', 'grpc-message', `feature ${below(next, 1e4)} was not found`]
          : ['grpc-status', '0', 'grpc-message', 'OK'],
    };
  });
  return { name: 'a gRPC client', exchanges };
}

function loadGenerator(): Story {
  const exchanges = Array.from(
    { length: 50 },
    (_, i): StoryExchange => ({
      request: [
        ...[':method', 'GET', ':scheme', 'http', ':authority', '127.0.0.1:8080', ':path', '/hello'],
        ...['user-agent', 'load/1.0', 'accept', '*/*'],
      ],
      status: 200,
      response: ['content-type', 'text/plain', 'content-length', '13', 'date', httpDate(Math.floor(i / 20))],
    }),
  );
  return { name: 'a load generator', exchanges };
}

/** Legal and unusual: empty values, octets above 127, strings of all lengths, tables that overflow. */
function awkward(): Story {
  const next = random(4);
  const alphabets = ['aeiost012', '~|{}<>#$', '\xe4\xf6\xfc\xdf\xff\xa1', 'abc XYZ 123 =&%'];
  const text = (length: number): string => {
    const alphabet = alphabets[below(next, alphabets.length)];
    return Array.from({ length }, () => alphabet[below(next, alphabet.length)])
      .join('')
      .trim();
  };
  const exchanges = Array.from({ length: 40 }, (_, i): StoryExchange => {
    const lengths = [0, 1, 2, 15, 16, 17, 30, 31, 126, 127, 128, 254, 255, 300, 1000, 2040, 4100, 9000];
    const fields = Array.from({ length: 1 + below(next, 4) }, (_, field) => [
      `x-${'n'.repeat(below(next, 40))}${field}`,
      text(lengths[(i + field) % lengths.length]),
    ]).flat();
    return {
      request: [
        ...[':method', 'GET', ':scheme', 'http', ':authority', 'x.example'],
        ...[':path', `/${hex(next, i * 5)}`, ...fields],
      ],
      status: [200, 299, 418, 599][i % 4],
      response: fields,
    };
  });
  return { name: 'awkward fields', exchanges };
}

export const stories: readonly Story[] = [browser(), api(), grpc(), loadGenerator(), awkward()];
