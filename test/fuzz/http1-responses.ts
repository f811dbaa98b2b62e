/**
 * The output of a connection, as a strict client reads it (RFC 9112 section 6.3), compared with what was
 * meant.
 */
import { Finding } from './target.ts';

/** The response to one request, as far as its owner has produced it. */
export interface ResponseExpected {
  readonly id: number;
  readonly method: string;
  readonly version: string;
  /** 0: no response was given. */
  status: number;
  content: string;
  /** The value of Content-Length; -1: there is none. */
  length: number;
  isEnded: boolean;
  isTunnel: boolean;
  trailers: boolean;
  isComplete?: boolean;
}

interface Response {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  readonly content: string;
  /** Null: the text ends before the response does. */
  readonly end: number | null;
}

const HEAD = /HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n((?:[!#$%&'*+\-.^_`|~0-9a-z]+: [^\r\n]*\r\n)*)\r\n/y;
const CHUNK = /([0-9a-f]+)\r\n/y;
const TRAILERS = /(?:[a-z-]+: [^\r\n]*\r\n)*\r\n/y;

/** @param isWhole the connection was not broken off. @throws Finding */
export function requireResponses(
  text: string,
  expected: readonly ResponseExpected[],
  isWhole: boolean,
  input: Buffer,
): void {
  let next = 0;
  let isLast = false;
  for (let at = 0; at < text.length; ) {
    const wrong = (what: string): Finding =>
      new Finding(`${what}: ${JSON.stringify(text.slice(Math.max(0, at - 80), at + 300))}`, input);
    if (isLast) throw wrong('something is said behind the last response');
    const request = expected[next];
    const response = read(text, at, request?.method ?? 'GET');
    if (response === null) throw wrong('no response');
    const { status, fields, content, end } = response;
    if (status >= 100 && status < 200 && status !== 101) {
      if (request === undefined || request.version === '1.0') throw wrong('an interim response to nobody');
      at = end as number;
      continue;
    }
    isLast = fields.get('connection') === 'close';
    const id = fields.get('x-id');
    if (id === undefined) {
      // A refusal: it answers a request that was not accepted, or not answered, and it is the last response.
      if (!isLast || status < 400) throw wrong('a response of nobody');
      // To HEAD it has no content, whatever length it says (RFC 9110 section 9.3.2).
      const isOfHead = request?.method === 'HEAD' && content === '';
      if (end === null && !isOfHead) throw wrong('a refusal that is not whole');
      at = end ?? text.length;
      continue;
    }
    // Earlier requests, if any, were closed without an answer: none may be skipped.
    if (request === undefined || Number(id) !== request.id)
      throw wrong(`the response of ${id} where that of ${next} should be`);
    next++;
    if (request.isTunnel) {
      if (content !== request.content) throw wrong('a tunnel that does not carry what it was given');
      return;
    }
    if (status !== request.status) throw wrong(`the status is not ${request.status}`);
    const hasContent = request.method !== 'HEAD' && status !== 204 && status !== 304;
    if (!hasContent && content !== '') throw wrong('content where there is none');
    if (hasContent && !request.content.startsWith(content)) throw wrong('content that was not given');
    if (end === null) {
      if (isWhole && request.isComplete === true && hasContent)
        throw wrong('a complete response that is not whole');
      return;
    }
    if (hasContent && request.isComplete === true && content !== request.content)
      throw wrong('content is missing');
    at = end;
  }
  const unanswered = expected.slice(next).find(({ isComplete }) => isComplete === true);
  if (unanswered !== undefined) throw new Finding(`${unanswered.id} is complete and was not answered`, input);
}

/**
 * @param of is for the request whose turn it is. A refusal answers one that was never accepted, and has
 * content in any case.
 */
function read(text: string, at: number, of: string): Response | null {
  HEAD.lastIndex = at;
  const match = HEAD.exec(text);
  if (match === null) return null;
  const status = Number(match[1]);
  const fields = new Map<string, string>();
  for (const line of (match[2] as string).split('\r\n').slice(0, -1)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    // RFC 9110 section 5.3: a field that may not be a list occurs once.
    if (fields.has(name)) return null;
    fields.set(name, line.slice(colon + 2));
  }
  const from = HEAD.lastIndex;
  const method = fields.has('x-id') ? of : 'GET';
  const head = { status, fields };
  const isTunnel =
    status === 101 || (method === 'CONNECT' && status >= 200 && status < 300 && !fields.has('connection'));
  if (isTunnel) return { ...head, content: text.slice(from), end: text.length };
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD')
    return { ...head, content: '', end: from };
  if (fields.has('transfer-encoding'))
    return fields.has('content-length') ? null : readChunked(text, from, head);
  const length = fields.get('content-length');
  if (length === undefined) {
    // It ends with the connection, and says so.
    return fields.get('connection') === 'close'
      ? { ...head, content: text.slice(from), end: text.length }
      : null;
  }
  const end = from + Number(length);
  return { ...head, content: text.slice(from, end), end: end <= text.length ? end : null };
}

function readChunked(text: string, from: number, head: Pick<Response, 'status' | 'fields'>): Response {
  let content = '';
  for (let at = from; ; ) {
    CHUNK.lastIndex = at;
    const size = Number.parseInt(CHUNK.exec(text)?.[1] ?? '', 16);
    if (Number.isNaN(size)) return { ...head, content, end: null };
    at = CHUNK.lastIndex;
    if (size === 0) {
      TRAILERS.lastIndex = at;
      return { ...head, content, end: TRAILERS.test(text) ? TRAILERS.lastIndex : null };
    }
    content += text.slice(at, at + size);
    if (text.slice(at + size, at + size + 2) !== '\r\n') return { ...head, content, end: null };
    at += size + 2;
  }
}
