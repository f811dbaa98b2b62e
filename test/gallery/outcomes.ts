/**
 * The table of the matrix: what each middleware of the gallery, in each form, does to an exchange.
 *
 * For a stack, the effects of its layers are combined regardless of their order: see `outcomeOf`.
 */
import { PREFIX } from '../../apps/middleware/catalogue.ts';
import type { Capabilities, Feature } from '../../workers/gateway.ts';
import { type Got, type Headers, reportOf } from './gallery-server.ts';

export type Protocol = 'HTTP/1.1' | 'HTTP/2' | 'WebSocket over HTTP/1.1' | 'WebSocket over HTTP/2';
export const PROTOCOLS: readonly Protocol[] = [
  'HTTP/1.1',
  'HTTP/2',
  'WebSocket over HTTP/1.1',
  'WebSocket over HTTP/2',
];

export interface Row {
  /** The features that the layer withholds, if the peer has them. */
  readonly withholds: readonly Feature[];
  /** An unavailable push becomes a preload link: a legacy layer that left a trace is in between. */
  readonly preloads?: true;
  /** The layer withholds them only from responses, not from tunnels. */
  readonly sparesTunnels?: true;
  /** The layer leaves content alone that has been compressed below it. */
  readonly sparesEncoded?: true;
  /** The layer reads the whole request before the application below begins. */
  readonly readsAhead?: true;
  /** What in a response shows that the layer was there. */
  readonly sign?: Sign;
  /**
   * The sign shows only if the application requests what the layer offers under a key, which no legacy
   * application does.
   */
  readonly isOffered?: true;
  /** The purpose of the layer: a request, and the response to it. */
  readonly probe: Probe;
}

export type Sign =
  | { readonly in: 'head' | 'trailers'; readonly name: string; readonly is: RegExp }
  | { readonly in: 'report'; readonly name: 'path' | 'user'; readonly is: RegExp }
  | { readonly in: 'text'; readonly is: RegExp };

export interface Probe {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Headers;
  readonly body?: string;
  readonly status: number;
  readonly signs?: readonly Sign[];
}

const head = (name: string, is: RegExp): Sign => ({ in: 'head', name, is });
const text = (is: RegExp): Sign => ({ in: 'text', is });

/** For a legacy layer that writes the body itself. */
const BODY = ['push', 'tunnel', 'streaming', 'padding'] as const;
/** For a legacy layer that only writes the head. */
const HEAD = ['push', 'tunnel'] as const;

const TOO_MUCH = 'x'.repeat(65 * 1024);
const ANNOUNCED = { method: 'POST', body: TOO_MUCH, headers: { 'content-length': String(TOO_MUCH.length) } };
const MOVED = { path: '/under/page?location=/under/elsewhere' };
const FAILING = { path: '/under/page?fail=early' };
const PREFLIGHT = {
  method: 'OPTIONS',
  headers: { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-one' },
};
const OVERRIDDEN = { method: 'POST', headers: { 'x-http-method-override': 'PUT' }, body: 'x' };
const UNCHANGED = { path: '/under/page?whole', headers: { 'if-none-match': '*' } };
const WHOLE = { path: '/under/page?whole' };
const STRANGER = { headers: { authorization: '' } };

export const ROWS: { readonly [form: string]: Row } = {
  'native/debug-page': {
    withholds: [],
    probe: { ...FAILING, status: 500, signs: [text(/<mark>.*told to fail/)] },
  },
  'legacy/debug-page': {
    withholds: [],
    probe: { ...FAILING, status: 500, signs: [text(/<mark>.*told to fail/)] },
  },

  'native/sessions': {
    withholds: [],
    isOffered: true,
    sign: head('set-cookie', /^session=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/),
    probe: { status: 200 },
  },
  'legacy/sessions': {
    withholds: BODY,
    preloads: true,
    sign: head('set-cookie', /^connect\.sid=.*; Path=\/; HttpOnly; SameSite=Lax$/),
    probe: { status: 200 },
  },

  'native/authentication': {
    withholds: [],
    isOffered: true,
    sign: { in: 'report', name: 'user', is: /^gallery$/ },
    probe: { ...STRANGER, status: 401, signs: [head('www-authenticate', /^Basic realm="gallery"/)] },
  },
  'legacy/authentication': {
    withholds: [],
    isOffered: true,
    sign: { in: 'report', name: 'user', is: /^gallery$/ },
    probe: { ...STRANGER, status: 401, signs: [head('www-authenticate', /^Basic realm="gallery"/)] },
  },

  'native/compression': {
    withholds: ['push'],
    sign: head('content-encoding', /^gzip$/),
    probe: { ...WHOLE, status: 200, signs: [head('content-encoding', /^gzip$/), text(/stormy night\. $/)] },
  },
  'legacy/compression': {
    withholds: BODY,
    preloads: true,
    sign: head('content-encoding', /^gzip$/),
    probe: { ...WHOLE, status: 200, signs: [head('content-encoding', /^gzip$/), text(/stormy night\. $/)] },
  },

  'native/mounting': {
    withholds: [],
    sign: { in: 'report', name: 'path', is: /^\/page/ },
    probe: { path: '/under', status: 200, signs: [{ in: 'report', name: 'path', is: /^\/$/ }] },
  },
  'legacy/mounting': {
    withholds: [],
    preloads: true,
    sign: { in: 'report', name: 'path', is: /^\/page/ },
    probe: { path: '/under', status: 200, signs: [{ in: 'report', name: 'path', is: /^\/$/ }] },
  },

  'native/response-fields': {
    withholds: [],
    sign: head('x-content-type-options', /^nosniff$/),
    probe: { ...WHOLE, status: 200, signs: [head('x-frame-options', /^SAMEORIGIN$/)] },
  },
  'legacy/response-fields': {
    withholds: [],
    preloads: true,
    sign: head('x-content-type-options', /^nosniff$/),
    probe: { ...WHOLE, status: 200, signs: [head('x-frame-options', /^SAMEORIGIN$/)] },
  },

  'native/body-limit': { withholds: [], probe: { ...ANNOUNCED, status: 413 } },
  'legacy/body-limit': {
    withholds: [],
    preloads: true,
    readsAhead: true,
    probe: { ...ANNOUNCED, status: 413 },
  },

  // A streamed response passes the native layer unchanged, and the legacy one buffers it.
  'native/etag': { withholds: [], probe: { ...UNCHANGED, status: 304 } },
  'legacy/etag': {
    withholds: BODY,
    sparesTunnels: true,
    preloads: true,
    sign: head('etag', /^(W\/)?"/),
    probe: { ...UNCHANGED, status: 304 },
  },

  'native/cors': {
    withholds: [],
    sign: head('access-control-allow-origin', /^https:\/\/app\.example$/),
    probe: { ...PREFLIGHT, status: 204, signs: [head('access-control-allow-methods', /PUT/)] },
  },
  'legacy/cors': {
    withholds: [],
    preloads: true,
    sign: head('access-control-allow-origin', /^https:\/\/app\.example$/),
    probe: { ...PREFLIGHT, status: 204, signs: [head('access-control-allow-methods', /PUT/)] },
  },

  'native/timing': {
    withholds: [],
    sign: head('server-timing', /^head;dur=/),
    probe: { ...WHOLE, status: 200, signs: [head('server-timing', /^head;dur=/)] },
  },
  'legacy/timing': {
    withholds: HEAD,
    preloads: true,
    sign: head('x-response-time', /ms$/),
    probe: { ...WHOLE, status: 200, signs: [head('x-response-time', /ms$/)] },
  },

  'native/method-override': {
    withholds: [],
    probe: { ...OVERRIDDEN, status: 200, signs: [text(/^\{"method":"PUT"/)] },
  },
  'legacy/method-override': {
    withholds: [],
    probe: { ...OVERRIDDEN, status: 200, signs: [text(/^\{"method":"PUT"/)] },
  },

  'native/retry': {
    withholds: [],
    probe: { ...MOVED, status: 200, signs: [text(/"path":"[^"]*\/elsewhere"/)] },
  },
  'native/offload': {
    withholds: ['push', 'streaming', 'trailers', 'padding'],
    sparesEncoded: true,
    sign: text(/\nsha-256=:.{44}:\n$/),
    probe: { ...WHOLE, status: 200, signs: [text(/stormy night\. \nsha-256=:.{44}:\n$/)] },
  },
};

/** Whether the layer's sign is visible, given the layers below it. */
export function isSigned(stack: readonly string[], form: string): boolean {
  const below = stack.slice(stack.indexOf(form) + 1);
  const { sign, sparesEncoded } = rowOf(form);
  return sign !== undefined && !(sparesEncoded && below.some((each) => each.endsWith('/compression')));
}

/** Layers that silently withhold pushes below a legacy one, and so never ask it for a preload link. */
const isSilent = (form: string) => form.startsWith('native/') && rowOf(form).withholds.includes('push');

export function rowOf(form: string): Row {
  const row = ROWS[form];
  if (row === undefined) throw new Error(`expected a row for ${form}`);
  return row;
}

/** The features of a peer without any layer in between. */
export function capabilitiesOver(protocol: Protocol): Capabilities {
  const isHttp2 = protocol.endsWith('HTTP/2');
  return {
    push: isHttp2,
    trailers: true,
    informational: true,
    tunnel: protocol.startsWith('WebSocket'),
    priority: isHttp2,
    streaming: true,
    reset: isHttp2,
    padding: isHttp2,
  };
}

export interface Outcome {
  readonly capabilities: Capabilities;
  readonly withheld: readonly Feature[];
  /** The target of the `Link` in the `103` that replaces a push; null if none does. */
  readonly preloaded: string | null;
  /** The response can begin before the request has ended. */
  readonly isInteractive: boolean;
}

/** If two layers remove the prefix, the lower one finds none and changes nothing. */
function acting(stack: readonly string[]): readonly string[] {
  const first = stack.findIndex((form) => form.endsWith('/mounting'));
  return stack.filter((form, at) => !form.endsWith('/mounting') || at === first);
}

/** What the layers of a stack leave together: the features that none of them withholds. */
export function outcomeOf(forms: readonly string[], protocol: Protocol): Outcome {
  const stack = acting(forms);
  const had = capabilitiesOver(protocol);
  const isTunnel = protocol.startsWith('WebSocket');
  const takers = stack.map(rowOf).filter(({ sparesTunnels }) => !(isTunnel && sparesTunnels));
  const taken = new Set(takers.flatMap(({ withholds }) => withholds));
  const withheld = [...taken].filter((feature) => had[feature]);
  const capabilities = { ...had, ...Object.fromEntries(withheld.map((feature) => [feature, false])) };
  // The layer nearest to the application gets the push first.
  const lastTrace = stack.findLastIndex((form) => rowOf(form).preloads);
  const isPreloaded = !capabilities.push && lastTrace > stack.findLastIndex(isSilent);
  const isMoved = stack.indexOf('native/mounting') > lastTrace;
  return {
    capabilities,
    withheld,
    preloaded: isPreloaded ? `${isMoved ? PREFIX : ''}/style.css` : null,
    isInteractive: capabilities.streaming && !stack.some((form) => rowOf(form).readsAhead),
  };
}

/** Checks that a response shows the sign; returns an empty text if it does. */
export function missing(sign: Sign, got: Got): string {
  const found = foundIn(sign, got);
  return found.some((each) => sign.is.test(each)) ? '' : `expected ${sign.is} in ${sign.in}, found ${found}`;
}

function foundIn(sign: Sign, got: Got): readonly string[] {
  if (sign.in === 'text') return [got.text];
  if (sign.in === 'report') return [String(reportOf(got.text)[sign.name])];
  return [(sign.in === 'head' ? got.headers : got.trailers)[sign.name] ?? []].flat();
}
