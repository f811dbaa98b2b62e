/**
 * Requests to our reader and to `node:http`. Both must see the same, except for what `disagreements.ts` lists
 * with a reason. The first refusal decides how far the two can be compared.
 */
import { type Reading, type ReadRequest, readPieces, refusedAt } from '../http1/reading.ts';
import { smugglingCases } from '../http1/smuggling/collection.ts';
import { type Disagreement, refusedByNode, refusedBySluice } from './disagreements.ts';
import { http1Conversation } from './http1-input.ts';
import { Cut, cut, spoilBytes } from './mutation.ts';
import { NodeReader, type NodeReading, type NodeRequest } from './node-reading.ts';
import type { Random } from './random.ts';
import { Finding, mustAgree, type Target } from './target.ts';

const MOST_BYTES = 3_000;
/** The messages of the collection, without those that only show a limit. */
const collection = smugglingCases.map(({ sent }) => sent).filter((sent) => sent.length < 1_000);
/** Mutations that turn one message into two, or into none. */
const WORDS: readonly string[] = [
  ...[
    '\r\n',
    '\r',
    '\n',
    ' ',
    '\t',
    ':',
    ';',
    ',',
    '"',
    '\\',
    '\0',
    '\x7f',
    '\xff',
    '#',
    '=',
    '0',
    'f',
    '/',
    '*',
  ],
  ...[
    '\r\n\r\n',
    '\n\n',
    '\r\n ',
    '0\r\n\r\n',
    'HTTP/1.1',
    'HTTP/1.0',
    'chunked',
    'x: y\r\n',
    ';a=b',
    ';a="b"',
  ],
  ...['Content-Length: 5\r\n', 'Content-Length: 0\r\n', 'Transfer-Encoding: chunked\r\n', 'Host: b\r\n'],
  ...['Connection: content-length\r\n', 'Connection: x-forwarded-for\r\nX-Forwarded-For: b\r\n'],
  ...['Connection: close\r\n', 'Connection: x-a\r\n', 'TE: trailers\r\n', 'Expect: 100-continue\r\n'],
  ...['GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na'],
];

/** Continuations that complete a request after bytes that end anywhere within it. */
const COMPLETIONS: readonly string[] = [
  ...[
    '',
    '\n',
    '\r\n',
    '\n\r\n',
    '\r\n\r\n',
    '\r\nHost: a\r\n\r\n',
    '\nHost: a\r\n\r\n',
    'Host: a\r\n\r\n',
    ': a\r\n\r\n',
  ],
  ...[' / HTTP/1.1', '/ HTTP/1.1', ' HTTP/1.1', 'HTTP/1.1', '.1', '1'].map(
    (end) => `${end}\r\nHost: a\r\n\r\n`,
  ),
  ...['', '\n', '\r\n', 'a\r\n', 'a"\r\n', '\r\na\r\n', 'a\r\na\r\n', '"\r\na\r\n'].map(
    (end) => `${end}0\r\n\r\n`,
  ),
];

export function openDifferential(): Promise<Target> {
  const node = new NodeReader();
  return Promise.resolve({ run: (random) => runCase(random, node), close: () => Promise.resolve() });
}

function draw(random: Random): Buffer {
  let text: Buffer;
  if (random.chance(50)) text = Buffer.concat(http1Conversation(random, () => `/${random.integer(0, 99)}`));
  else {
    const messages = Array.from({ length: random.integer(1, 3) }, () => random.pick(collection));
    text = Buffer.from(messages.join(''), 'latin1');
    for (let times = random.pick([0, 0, 1, 2]); times > 0; times--) text = spoilBytes(random, text);
  }
  for (let times = random.pick([0, 0, 1, 2, 4]); times > 0; times--) {
    const at = random.integer(0, text.length);
    const word = Buffer.from(random.pick(WORDS), 'latin1');
    text = Buffer.concat([
      text.subarray(0, at),
      word,
      text.subarray(at + random.pick([0, 0, 1, word.length])),
    ]);
  }
  return text.subarray(0, MOST_BYTES);
}

async function runCase(random: Random, node: NodeReader): Promise<void> {
  const input = draw(random);
  if (input.length === 0) return;
  const text = input.toString('latin1');
  const ours = readPieces([text]);
  for (const how of [Cut.Bytes, Cut.Random]) {
    const pieces = cut(random, input, how).map((piece) => piece.toString('latin1'));
    mustAgree(`the same bytes in one piece and ${how}`, ours, readPieces(pieces), input);
  }
  compare(text, input, ours, await node.read(Buffer.from(input)));
}

/**
 * Reads the text in both ways. @returns the disagreement that explains the difference, or null without one.
 * @throws Finding
 */
export async function disagreementOn(text: string, node: NodeReader): Promise<Disagreement | null> {
  const input = Buffer.from(text, 'latin1');
  return compare(text, input, readPieces([text]), await node.read(Buffer.from(input)));
}

/** The parts of a request that are compared. */
interface Seen {
  method: string;
  target: string;
  version: string;
  fields: readonly string[];
  content: string;
  trailers: readonly string[];
}

function compare(text: string, input: Buffer, ours: Reading, theirs: NodeReading): Disagreement | null {
  for (let index = 0; ; index++) {
    const our = ours.requests[index];
    const their = theirs.requests[index];
    if (our === undefined || their === undefined) {
      return compareEnds(text, input, ours, theirs, index);
    }
    // How much of incomplete content was seen depends on which reader stopped first.
    const isWhole = our.isWhole && their.isWhole;
    mustAgree(
      `request ${index} of ours and of Node's`,
      ourSeen(our, isWhole),
      theirSeen(their, isWhole),
      input,
    );
    // The connection ends after it, or leaves HTTP.
    if (!our.persists || our.method === 'CONNECT' || our.upgrade !== null) return null;
    if (our.isWhole !== their.isWhole) {
      return compareEnds(text, input, ours, theirs, index);
    }
  }
}

/** One reader has not seen the request at `index`, or not to its end. */
function compareEnds(
  text: string,
  input: Buffer,
  ours: Reading,
  theirs: NodeReading,
  index: number,
): Disagreement | null {
  const our = ours.requests[index];
  const their = theirs.requests[index];
  const isOurs = our?.isWhole === true;
  const isTheirs = their?.isWhole === true;
  const { refusal } = ours;
  // Both refuse it, or both wait for the rest of it.
  if (isOurs === isTheirs && (refusal === null) === (theirs.refusal === null)) {
    if (refusal === null)
      mustAgree(
        'whether the bytes end within a request',
        ours.isWithinMessage,
        theirs.isWithinMessage,
        input,
      );
    return null;
  }
  if (refusal !== null && !isOurs) {
    const at = refusedAt(text);
    const listed = refusedBySluice({ ...refusal, before: text.slice(0, at + 1) });
    if (listed !== undefined) return listed;
    throw new Finding(
      `we refuse at ${at}, ${refusal.status} ${refusal.why}: ${JSON.stringify(text.slice(Math.max(0, at - 60), at + 1))}; Node: ${JSON.stringify(theirs)}`,
      input,
    );
  }
  if (theirs.refusal !== null) {
    // Node may recognize earlier that the request is invalid.
    if (
      our === undefined
        ? !canBecome(text, index, () => true)
        : !canBecome(text, index, ({ isWhole }) => isWhole)
    )
      return null;
    const listed = refusedByNode(theirs.refusal, text);
    if (listed !== undefined) return listed;
    throw new Finding(
      `Node refuses request ${index}, ${theirs.refusal}; we have ${JSON.stringify(our)}`,
      input,
    );
  }
  throw new Finding(`request ${index}: ours ${JSON.stringify(our)}, Node's ${JSON.stringify(their)}`, input);
}

/**
 * Whether our reader would accept the request at `index` as one for which `isSo` holds, if one of these
 * followed.
 */
function canBecome(text: string, index: number, isSo: (request: ReadRequest) => boolean): boolean {
  return COMPLETIONS.some((end) => {
    const request = readPieces([text + end]).requests[index];
    return request !== undefined && isSo(request);
  });
}

function ourSeen(request: ReadRequest, isWhole: boolean): Seen {
  const { method, scheme, authority, path, version, fields, content, trailers } = request;
  return {
    method,
    target: `${scheme ?? ''} ${authority ?? ''} ${path}`,
    version,
    fields,
    content: isWhole ? content : '',
    trailers: isWhole ? (trailers ?? []) : [],
  };
}

function theirSeen(request: NodeRequest, isWhole: boolean): Seen {
  const { method, url, version, fields, content, trailers } = request;
  return {
    method,
    target: targetOf(method, url),
    version,
    fields: endToEnd(fields),
    content: isWhole ? content : '',
    trailers: isWhole ? trailers.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text)) : [],
  };
}

/** RFC 9112 section 3.2, as far as Node leaves it to its application. */
function targetOf(method: string, url: string): string {
  if (method === 'CONNECT') return ` ${url} `;
  const [, scheme, authority = '', rest = ''] = /^(https?):\/\/([^/?]*)(.*)$/i.exec(url) ?? [];
  if (scheme === undefined) return `  ${url}`;
  const empty = method === 'OPTIONS' ? '*' : '/';
  const path = rest.startsWith('?') ? `/${rest}` : rest === '' ? empty : rest;
  return `${scheme.toLowerCase()} ${authority} ${path}`;
}

const OWN = /^(?:host|transfer-encoding|connection|upgrade|te|http2-settings|keep-alive|proxy-connection)$/;
const KEPT = /^(?:content-length|forwarded|x-forwarded-(?:for|host|proto))$/;

/** All fields except the connection's own (RFC 9110 section 7.6.1), as an application gets them. */
function endToEnd(fields: readonly string[]): string[] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < fields.length; i += 2)
    pairs.push([(fields[i] as string).toLowerCase(), fields[i + 1] as string]);
  const valuesOf = (wanted: string): string[] =>
    pairs
      .flatMap(([name, value]) => (name === wanted ? value.split(',') : []))
      .map((value) => value.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase());
  const named = valuesOf('connection').filter((name) => !KEPT.test(name));
  const kept = pairs.filter(([name]) => !OWN.test(name) && !named.includes(name));
  if (valuesOf('te').some((coding) => /^trailers(?:$|[ \t;])/.test(coding))) kept.push(['te', 'trailers']);
  return kept.flat();
}
