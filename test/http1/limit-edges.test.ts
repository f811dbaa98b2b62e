/**
 * Each limit of the HTTP/1.1 engine from both sides: what is exactly at it, and what is beyond it by one. Whole
 * and byte by byte, without a socket.
 */
import test from 'ava';
import { Driver } from './driver.ts';
import { message } from './raw.ts';

type Options = ConstructorParameters<typeof Driver>[0];

interface Edge {
  readonly what: string;
  readonly options?: Options;
  /** @param over by how much the limit is exceeded: 0 or 1 */
  readonly sent: (over: number) => string;
  /** The status beyond the limit. */
  readonly status: number;
}

const get = (...fields: string[]): string => message(['GET / HTTP/1.1', 'Host: a', ...fields]);
const chunked = message(['POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked']);
const crumbs = (count: number): string => '1\r\nx\r\n'.repeat(count);
/** Free of an extension's limit, which counts from behind the semicolon to the CR. */
const FREE_EXTENSION_BYTES = 16_384;
const extension = (bytes: number): string => `1;${'x'.repeat(bytes - 1)}\r\na\r\n`;

const edges: readonly Edge[] = [
  {
    what: 'a target of maxTargetBytes',
    options: { maxTargetBytes: 50 },
    sent: (over) => message([`GET /${'t'.repeat(49 + over)} HTTP/1.1`, 'Host: a']),
    status: 414,
  },
  {
    what: 'an absolute target of maxTargetBytes',
    options: { maxTargetBytes: 50 },
    sent: (over) => message([`GET http://a/${'t'.repeat(41 + over)} HTTP/1.1`, 'Host: a']),
    status: 414,
  },
  {
    what: 'a head of maxHeaderBytes, which counts a space behind each colon',
    options: { maxHeaderBytes: 200 },
    sent: (over) => get(`X:${'y'.repeat(200 - '/Host: a\r\nX: \r\n'.length + over)}`),
    status: 431,
  },
  {
    what: 'a field name within maxHeaderBytes',
    options: { maxHeaderBytes: 200 },
    sent: (over) => get(`${'x'.repeat(200 - '/Host: a\r\n: \r\n'.length + over)}:`),
    status: 431,
  },
  {
    what: 'white space within maxHeaderBytes',
    options: { maxHeaderBytes: 200 },
    sent: (over) => get(`X: ${' '.repeat(200 - '/Host: a\r\nX: y\r\n'.length + over)}y`),
    status: 431,
  },
  {
    what: 'trailers of maxHeaderBytes',
    options: { maxHeaderBytes: 200 },
    sent: (over) => `${chunked}0\r\nA: b\r\nX: ${'y'.repeat(200 - 'A: b\r\nX: \r\n'.length + over)}\r\n\r\n`,
    status: 431,
  },
  {
    what: 'a head of maxFieldLines',
    options: { maxFieldLines: 5 },
    sent: (over) => get(...new Array<string>(4 + over).fill('x: y')),
    status: 431,
  },
  {
    what: 'trailers of maxFieldLines',
    options: { maxFieldLines: 5 },
    sent: (over) => `${chunked}0\r\n${'x: y\r\n'.repeat(5 + over)}\r\n`,
    status: 431,
  },
  {
    what: 'an authority of 1,024 characters',
    sent: (over) => message(['GET / HTTP/1.1', `Host: ${'h'.repeat(1_024 + over)}`]),
    status: 400,
  },
  {
    what: 'the highest port',
    sent: (over) => message(['GET / HTTP/1.1', `Host: a:${65_535 + over}`]),
    status: 400,
  },
  {
    what: 'a Content-Length of 15 digits',
    sent: (over) => message(['POST / HTTP/1.1', 'Host: a', `Content-Length: ${'9'.repeat(15 + over)}`]),
    status: 413,
  },
  {
    what: 'a chunk size of 16 digits',
    sent: (over) => `${chunked}${'0'.repeat(15 + over)}1\r\na`,
    status: 400,
  },
  {
    what: 'the largest chunk size that can be counted',
    sent: (over) => `${chunked}${(BigInt(Number.MAX_SAFE_INTEGER) + BigInt(over)).toString(16)}\r\na`,
    status: 400,
  },
  {
    what: 'one chunk extension as long as all may be',
    sent: (over) => chunked + extension(FREE_EXTENSION_BYTES + over),
    status: 400,
  },
  {
    what: 'chunk extensions that are together as long as they may be',
    sent: (over) => `${chunked}${extension(FREE_EXTENSION_BYTES / 4).repeat(3)}${extension(4_096 + over)}`,
    status: 400,
  },
  {
    what: 'the extension of the last chunk',
    sent: (over) => `${chunked}0;${'x'.repeat(FREE_EXTENSION_BYTES - 1 + over)}\r\n\r\n`,
    status: 400,
  },
  {
    what: 'chunk extensions that content pays for, a byte for each eight',
    sent: (over) =>
      `${chunked}10\r\n${'x'.repeat(16)}\r\n${extension(FREE_EXTENSION_BYTES + 2 + over)}0\r\n\r\n`,
    status: 400,
  },
  {
    what: 'chunk extensions that content does not pay for yet',
    // Seven bytes come to nothing.
    sent: (over) => `${chunked}7\r\nxxxxxxx\r\n${extension(FREE_EXTENSION_BYTES + over)}`,
    status: 400,
  },
  {
    what: 'small chunks of the whole budget',
    options: { smallChunks: { burst: 8, perSecond: 0 } },
    // Eight bytes of content pay for two chunks more, of which the first three bytes come to less than one.
    sent: (over) => chunked + crumbs(10 + over),
    status: 400,
  },
];

for (const { what, options, sent, status } of edges) {
  test(`${what} is accepted, and ${status} beyond it`, (t) => {
    for (const over of [0, 1]) {
      const expected = over === 0 ? [] : [status];
      const text = sent(over);
      const whole = new Driver(options);
      whole.receive(text);
      t.deepEqual(whole.refused, expected, `${over} beyond`);
      const cut = new Driver(options);
      for (const byte of text) cut.receive(byte);
      t.deepEqual(cut.refused, expected, `${over} beyond, byte by byte`);
    }
  });
}

test('a method of 32 bytes is read to its end, and 501 at the next byte', (t) => {
  const driver = new Driver();
  driver.receive('M'.repeat(32));
  t.deepEqual(driver.refused, []);
  driver.receive('M');
  t.deepEqual(driver.refused, [501]);
});

test('extensions of one request do not count for the next', (t) => {
  const driver = new Driver();
  driver.receive(`${chunked}${extension(FREE_EXTENSION_BYTES)}0\r\n\r\n`.repeat(3));
  t.deepEqual(driver.refused, []);
});

test('a budget of small chunks that is used up regains its chunks per second', (t) => {
  const driver = new Driver({ smallChunks: { burst: 4, perSecond: 2 } });
  driver.receive(chunked + crumbs(5));
  driver.engine.advance(1_000);
  driver.receive(crumbs(2));
  t.deepEqual(driver.refused, []);
  driver.receive(crumbs(2));
  t.deepEqual(driver.refused, [400]);
});

test('maxRequestsPerConnection are answered, and no more', (t) => {
  const driver = new Driver({ maxRequestsPerConnection: 3 });
  const closing: boolean[] = [];
  for (let index = 0; index < 4; index++) {
    driver.receive(get());
    const one = driver.messages[index];
    if (one === undefined) break;
    driver.answer(one, 'x');
    closing.push(driver.output().includes('connection: close'));
  }
  t.deepEqual(closing, [false, false, true]);
});

test('maxPipelinedRequests are accepted ahead of their responses, and the last of them ends the connection', (t) => {
  const accepted = (sent: number) => {
    const driver = new Driver({ maxPipelinedRequests: 3 });
    driver.receive(get().repeat(sent));
    for (const one of driver.messages) driver.answer(one, 'x');
    const ends = driver.output().includes('connection: close');
    return [driver.messages.length, ends];
  };
  t.deepEqual(accepted(2), [2, false]);
  t.deepEqual(accepted(3), [3, true]);
  t.deepEqual(accepted(4), [3, true]);
});

test('maxParallelRequests begin, and the next waits', (t) => {
  const driver = new Driver({ maxParallelRequests: 3 });
  driver.receive(get().repeat(4));
  t.is(driver.events.filter((event) => event.startsWith('start')).length, 3);
  driver.answer(driver.messages[0], 'x');
  driver.output();
  t.is(driver.events.filter((event) => event.startsWith('start')).length, 4);
});
