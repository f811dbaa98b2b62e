/** What a page, its assets and its routes are on Node, held against Sluice over HTTP/1.1 and HTTP/2. */
import assert from 'node:assert/strict';
import { request as requestOf } from 'node:http';
import { connect } from 'node:http2';
import { after, before, test } from 'node:test';
import { requestHttp1 } from '../server/http1-client.ts';
import { answer } from '../server/http2-client.ts';
import type { FrameworkApplication } from './applications.ts';
import { type Started, startNode, startSluice } from './started.ts';

const THREADS = 2;
/** Rows of a page that takes a thread some milliseconds. */
const MANY = 300;
/** Of requests side by side, until every thread has had one. */
const MAX_ROUNDS = 50;
/** What belongs to a connection or an hour, and what follows from a body that names its thread. */
const OWN_FIELDS = ['date', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'etag'];

interface Ask {
  readonly what: string;
  readonly method?: string;
  readonly path: string;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string;
  /** Its bytes are the same in every thread. */
  readonly isSame: boolean;
  /** Absent: frameworks differ. */
  readonly status?: number;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const asks: readonly Ask[] = [
  { what: 'a page', path: '/', isSame: false, status: 200 },
  { what: 'a page with a query', path: '/?rows=3', isSame: false, status: 200 },
  { what: 'the head of a page', method: 'HEAD', path: '/', isSame: false },
  { what: 'a page that there is not', path: '/nowhere', isSame: false, status: 404 },
  {
    what: 'a POST',
    method: 'POST',
    path: '/api/echo',
    headers: JSON_TYPE,
    body: '{"a":[1,"é"]}',
    isSame: true,
  },
  {
    what: 'a POST that is no JSON',
    method: 'POST',
    path: '/api/echo',
    headers: JSON_TYPE,
    body: '{"a',
    isSame: false,
  },
  { what: 'a method that the route does not have', method: 'DELETE', path: '/api/echo', isSame: false },
  { what: 'a stream', path: '/api/stream', isSame: true, status: 200 },
  { what: 'an asset', path: '/numbers.txt', isSame: true, status: 200 },
  { what: 'a range of an asset', path: '/numbers.txt', headers: { range: 'bytes=5-9' }, isSame: true },
  {
    what: 'a range that there is not',
    path: '/numbers.txt',
    headers: { range: 'bytes=99999-' },
    isSame: true,
  },
  { what: 'the head of an asset', method: 'HEAD', path: '/numbers.txt', isSame: true },
];

interface Answer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly body: Buffer;
  readonly how: 'whole' | 'cut';
}

export function checkPages(application: FrameworkApplication): void {
  let node: Started;
  let sluice: Started;
  before(async () => {
    node = await startNode(application);
    sluice = await startSluice(application, THREADS);
  });
  after(() => Promise.all([node?.stop(), sluice?.stop()]));

  for (const ask of asks) {
    test(`${ask.what} is what it is on Node`, async () => {
      const expected = await overHttp1(node, ask);
      assert.equal(expected.status, ask.status ?? expected.status, 'on Node');
      for (const send of [overHttp1, overHttp2]) {
        const got = await send(sluice, ask);
        assert.equal(got.how, 'whole');
        assert.equal(got.status, expected.status);
        assert.deepEqual(fieldsOf(got, ask), fieldsOf(expected, ask));
        if (ask.isSame) assert.equal(got.body.toString(), expected.body.toString());
        else assert.deepEqual(cellsOf(got), cellsOf(expected));
      }
    });
  }

  test('one HTTP/2 connection is rendered for by every thread', async () => {
    const threads = new Set<string>();
    const session = connect(sluice.origin);
    const page = (): Promise<Answer> =>
      answer(session.request({ ':path': `/?rows=${MANY}` }, { endStream: true }));
    for (let round = 0; threads.size < THREADS && round < MAX_ROUNDS; round++) {
      for (const { status, body } of await Promise.all(Array.from({ length: 16 }, page))) {
        assert.equal(status, 200);
        threads.add(/data-thread="?(\d+)/.exec(body.toString())?.[1] ?? 'none');
      }
    }
    session.destroy();
    assert.equal(threads.size, THREADS);
    assert.ok(!threads.has('none'));
  });

  test('clients that leave in the middle of a page harm nobody', async () => {
    const session = connect(sluice.origin);
    for (let n = 0; n < 16; n++) {
      const path = `/?rows=${MANY}`;
      const leaving = session.request({ ':path': path }, { endStream: true });
      leaving.on('error', () => undefined);
      const outgoing = requestOf(sluice.origin + path, { agent: false }).end();
      outgoing.on('error', () => undefined);
      if (n % 2 === 0) await overHttp2(sluice, { what: '', path: '/?rows=1', isSame: false });
      leaving.close(0x8);
      outgoing.destroy();
    }
    session.destroy();
    const { status } = await overHttp1(sluice, { what: '', path: '/', isSame: false });
    assert.equal(status, 200);
    assert.doesNotMatch(sluice.printed(), /thread died/);
  });

  test('SIGTERM ends it in order, and its hooks have run in every thread', async () => {
    assert.equal(await sluice.stop(), 0);
    const { lastWords } = application;
    if (lastWords !== undefined) assert.equal(sluice.printed().split(lastWords).length - 1, THREADS);
  });
}

function overHttp1({ origin }: Started, { method, path, headers, body }: Ask): Promise<Answer> {
  return requestHttp1(origin + path, {
    ...(method !== undefined && { method }),
    ...(headers !== undefined && {
      headers: { ...headers, ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }) },
    }),
    ...(body !== undefined && { body }),
  });
}

async function overHttp2({ origin }: Started, { method = 'GET', path, headers, body }: Ask): Promise<Answer> {
  const session = connect(origin);
  const stream = session.request(
    { ':method': method, ':path': path, ...headers },
    { endStream: body === undefined },
  );
  if (body !== undefined) stream.end(body);
  const got = await answer(stream);
  session.destroy();
  return got;
}

/** Those that the framework has set. */
function fieldsOf({ headers }: Answer, { isSame }: Ask): object {
  const own = isSame ? OWN_FIELDS.filter((name) => name !== 'etag') : OWN_FIELDS;
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !own.includes(name) && !name.startsWith(':')),
  );
}

/** What a page shows; its data also name the thread. */
function cellsOf({ body }: Answer): readonly string[] {
  return [...body.toString().matchAll(/<(?:td|h1)[^>]*>([^<]*)/g)].map(([, text]) => text as string);
}
