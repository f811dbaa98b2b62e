/** The rules of an HTTP/1.1 connection, checked on the engine alone: no socket, no thread. */
import test from 'ava';
import { UpgradeVerdict } from '../../runtime/http1/events.ts';
import type { Http1Message } from '../../runtime/http1/message.ts';
import { DATE, Driver } from './driver.ts';
import { message } from './raw.ts';

const get = (path: string, ...fields: string[]) => message([`GET ${path} HTTP/1.1`, 'Host: h', ...fields]);
const post = (path: string, content: string, ...fields: string[]) =>
  message([`POST ${path} HTTP/1.1`, 'Host: h', `Content-Length: ${content.length}`, ...fields], content);

const persists = 'connection: keep-alive\r\nkeep-alive: timeout=5\r\n\r\n';
const closes = 'connection: close\r\n\r\n';
const date = `date: ${DATE}\r\n`;

/** The statuses of the responses, and their content up to anything that looks like a head. */
const statuses = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

test('a response in one piece has a length, and the connection persists', (t) => {
  const driver = new Driver();
  driver.receive(get('/'));
  driver.answer(driver.messages[0], 'hello', ['content-type', 'text/plain']);
  t.is(
    driver.output(),
    `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n${date}${persists}hello`,
  );
  t.deepEqual(driver.events, ['request 0 GET /', 'start 0', 'close 0 complete 0']);
  t.is(driver.engine.state, 'open');
  t.is(driver.buffers.heldCount, 0);
});

test('content in several pieces is chunked, and ends with its trailers', (t) => {
  const driver = new Driver();
  driver.receive(get('/'));
  const [one] = driver.messages;
  driver.engine.respond(one, 200, ['trailer', 'x-sum'], false);
  t.is(
    driver.output(),
    `HTTP/1.1 200 OK\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n${date}${persists}`,
  );
  driver.write(one, 'x'.repeat(17));
  t.is(driver.output(), `11\r\n${'x'.repeat(17)}\r\n`);
  driver.engine.trailers(one, ['x-sum', '1']);
  t.is(driver.output(), '0\r\nx-sum: 1\r\n\r\n');
  t.is(driver.sentBytes, 17);
});

test('how the content of a response is delimited (RFC 9112 section 6.3)', (t) => {
  const framing = (line: string, status: number, fields: readonly string[]) => {
    const driver = new Driver();
    driver.receive(message([line, 'Host: h']));
    driver.engine.respond(driver.messages[0], status, fields, false);
    const names = [...driver.output().matchAll(/^([a-z-]+): /gm)].map(([, name]) => name);
    return names.filter((name) => !['date', 'keep-alive'].includes(name));
  };
  const fields = ['trailer', 'x', 'x-a', 'b'];
  const get = 'GET / HTTP/1.1';
  t.deepEqual(framing(get, 200, fields), ['x-a', 'trailer', 'transfer-encoding', 'connection']);
  t.deepEqual(framing('GET / HTTP/1.0', 200, fields), ['x-a', 'connection']);
  t.deepEqual(framing('HEAD / HTTP/1.1', 200, fields), ['x-a', 'connection']);
  t.deepEqual(framing(get, 204, ['content-length', '0', ...fields]), ['x-a', 'connection']);
  t.deepEqual(framing(get, 304, ['content-length', '9']), ['content-length', 'connection']);
  t.deepEqual(framing(get, 200, ['content-length', '9', ...fields]), ['content-length', 'x-a', 'connection']);
});

test('to HTTP/1.0 content of unknown length ends with the connection', (t) => {
  const driver = new Driver();
  driver.receive('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  const [one] = driver.messages;
  driver.engine.respond(one, 200, [], false);
  driver.output();
  driver.write(one, 'ab');
  driver.write(one, 'c', true);
  t.is(driver.output(), 'abc');
  t.is(driver.engine.state, 'closing');
});

test('responses leave in the order of the requests, whichever is ready first, in one piece of output', (t) => {
  const driver = new Driver();
  driver.receive(get('/0') + get('/1') + get('/2'));
  const [zero, one, two] = driver.messages;
  driver.answer(two, 'two');
  driver.answer(one, 'one');
  t.is(driver.output(), '');
  driver.answer(zero, 'zero');
  t.regex(driver.output(), /zero[\s\S]*one[\s\S]*two$/);
  t.deepEqual(driver.events.slice(-3), ['close 0 complete 0', 'close 1 complete 0', 'close 2 complete 0']);
  t.is(driver.buffers.heldCount, 0);
});

test('a request that is not safe runs alone (RFC 9112 section 9.3.2)', (t) => {
  const driver = new Driver({ maxParallelRequests: 2 });
  driver.receive(get('/0') + get('/1') + get('/2') + post('/3', 'abc') + get('/4'));
  const started = () => driver.events.filter((event) => event.startsWith('start'));
  t.deepEqual(started(), ['start 0', 'start 1']);
  driver.answer(driver.messages[0], 'x');
  driver.output();
  t.deepEqual(started(), ['start 0', 'start 1', 'start 2']);
  driver.answer(driver.messages[1], 'x');
  driver.answer(driver.messages[2], 'x');
  driver.output();
  t.deepEqual(started().at(-1), 'start 3');
  driver.answer(driver.messages[3], 'x');
  t.deepEqual(started().at(-1), 'start 4');
});

test('a refusal follows the earlier responses, and ends the connection', (t) => {
  const driver = new Driver();
  driver.receive(`${get('/0')}GET / HTTP/1.1\r\n\r\n${get('/smuggled')}`);
  t.is(driver.output(), '');
  driver.answer(driver.messages[0], 'x');
  const text = driver.output();
  t.deepEqual(statuses(text), [200, 400]);
  t.regex(text, /connection: keep-alive[\s\S]*connection: close/);
  t.is(driver.engine.state, 'closing');
  t.is(driver.messages.length, 1);
});

test('malformed content is refused in place of its response, or breaks the response off', (t) => {
  const bad = `${message(['POST / HTTP/1.1', 'Host: h', 'Transfer-Encoding: chunked'])}1\r\na\r\n`;
  const early = new Driver();
  early.receive(bad);
  early.receive('x');
  t.deepEqual(statuses(early.output()), [400]);
  t.is(early.events.at(-1), 'close 0 engine 1');
  const late = new Driver();
  late.receive(bad);
  late.engine.respond(late.messages[0], 200, [], false);
  late.receive('x');
  t.deepEqual(statuses(late.output()), [200]);
  t.is(late.engine.state, 'aborted');
});

test('a refusal in place of a response to HEAD has no content (RFC 9110 section 9.3.2)', (t) => {
  const driver = new Driver();
  driver.receive(`${message(['HEAD / HTTP/1.1', 'Host: h', 'Transfer-Encoding: chunked'])}x`);
  t.regex(driver.output(), /^HTTP\/1\.1 400 [\s\S]*content-length: \d+\r\nconnection: close\r\n\r\n$/);
});

test('no request is accepted after the last one', (t) => {
  for (const last of [get('/0', 'Connection: close'), 'GET /0 HTTP/1.0\r\n\r\n']) {
    const driver = new Driver();
    driver.receive(last + get('/1'));
    driver.answer(driver.messages[0], 'x');
    t.true(driver.output().includes(closes));
    t.is(driver.messages.length, 1);
    t.is(driver.engine.state, 'closing');
  }
});

test('content of the last request is read before the connection ends', (t) => {
  const driver = new Driver();
  driver.receive(post('/', 'abc', 'Connection: close').slice(0, -1));
  driver.answer(driver.messages[0], 'x');
  driver.output();
  t.is(driver.engine.state, 'open');
  driver.receive('c');
  t.deepEqual(driver.events.slice(-2), ['data 0 "c" last', 'close 0 complete 0']);
  t.is(driver.engine.state, 'closing');
});

test('a response that breaks off breaks the connection, and earlier responses are complete', (t) => {
  const driver = new Driver();
  driver.receive(get('/0') + get('/1') + get('/2'));
  driver.engine.respond(driver.messages[1], 200, [], false);
  driver.engine.reset(driver.messages[1], 2);
  t.deepEqual(driver.events.slice(-2), ['close 2 engine 8', 'close 1 owner 2']);
  t.is(driver.engine.state, 'open');
  driver.answer(driver.messages[0], 'x');
  t.deepEqual(statuses(driver.output()), [200]);
  t.is(driver.engine.state, 'aborted');
});

test('content that does not match its Content-Length breaks the connection', (t) => {
  for (const content of ['abcd', 'ab']) {
    const driver = new Driver();
    driver.receive(get('/'));
    driver.answer(driver.messages[0], content, ['content-length', '3']);
    t.is(driver.engine.state, 'aborted', content);
    t.false(driver.output().includes('abcd'));
  }
});

test('an ignored Upgrade leaves the connection unchanged', (t) => {
  const driver = new Driver();
  driver.receive(get('/0', 'Connection: Upgrade', 'Upgrade: h3') + get('/1'));
  driver.answer(driver.messages[0], 'x');
  driver.answer(driver.messages[1], 'y');
  t.deepEqual(statuses(driver.output()), [200, 200]);
});

test('when the owner takes the connection for another protocol, nothing after the head has been read', (t) => {
  const driver = new Driver();
  driver.verdict = UpgradeVerdict.Leave;
  const head = get('/0', 'Connection: Upgrade', 'Upgrade: h2c');
  const at = driver.engine.receive(Buffer.from(`${head}PRI * HTTP/2.0`));
  t.is(at, head.length);
  t.is(driver.engine.state, 'left');
});

test('a tunnel carries the bytes after its request, and every byte after that, in both directions', (t) => {
  const driver = new Driver();
  driver.verdict = UpgradeVerdict.Tunnel;
  driver.receive(`${get('/', 'Connection: Upgrade', 'Upgrade: websocket')}GET `);
  driver.receive('\0\r\n');
  const [one] = driver.messages;
  driver.engine.accept(one, 'websocket', ['x-a', 'b']);
  driver.write(one, 'out');
  t.is(
    driver.output(),
    'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nx-a: b\r\n\r\nout',
  );
  t.deepEqual(driver.events.slice(-2), ['data 0 "GET "', 'data 0 "\\u0000\\r\\n"']);
  driver.write(one, '!', true);
  t.is(driver.output(), '!');
  t.true(driver.engine.hasTunnelEnded);
  t.is(driver.engine.state, 'open');
  driver.engine.end();
  t.deepEqual(driver.events.slice(-2), ['data 0 "" last', 'close 0 complete 0']);
  t.is(driver.engine.state, 'closing');
});

test('100 comes before 101 if the request expects it, and not before 200 (RFC 9110 section 7.8)', (t) => {
  const expecting = (protocol: string, ...lines: string[]): string => {
    const driver = new Driver();
    driver.verdict = UpgradeVerdict.Tunnel;
    driver.receive(message([...lines, 'Expect: 100-continue']));
    // The owner's own wish is left out as before.
    driver.engine.inform(driver.messages[0], 100, []);
    driver.engine.accept(driver.messages[0], protocol, []);
    return driver.output();
  };
  t.is(
    expecting('websocket', 'GET / HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket'),
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n',
  );
  t.is(expecting('', 'CONNECT h:1 HTTP/1.1', 'Host: h:1'), 'HTTP/1.1 200 OK\r\n\r\n');
});

test('a refusal never follows content that ends with the connection', (t) => {
  const driver = new Driver();
  driver.receive('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.1\r\n\r\n');
  const [one] = driver.messages;
  driver.engine.respond(one, 200, [], false);
  driver.write(one, 'abc');
  t.true(driver.output().endsWith(`${closes}abc`));
  driver.write(one, 'd', true);
  t.is(driver.output(), 'd');
  t.is(driver.engine.state, 'closing');
});

test('bytes that arrive on a tunnel after its owner has ended it are not reported', (t) => {
  const driver = new Driver();
  driver.receive(message(['CONNECT h:1 HTTP/1.1', 'Host: h:1']));
  driver.engine.accept(driver.messages[0], '', []);
  driver.engine.reset(driver.messages[0], 8);
  driver.receive('more');
  driver.engine.end();
  t.is(driver.events.at(-1), 'close 0 owner 8');
  t.is(driver.engine.state, 'aborted');
});

test('a tunnel that is refused gets one response, and the connection ends', (t) => {
  const driver = new Driver();
  driver.receive(`${message(['CONNECT h:1 HTTP/1.1', 'Host: h:1'])}data`);
  driver.engine.respond(driver.messages[0], 403, [], true);
  t.deepEqual(statuses(driver.output()), [403]);
  t.is(driver.events.at(-1), 'close 0 complete 0');
  t.is(driver.engine.state, 'closing');
});

test('a response announces the end of the connection if its request is unwanted and the rest exceeds the limit', (t) => {
  const driver = new Driver({ maxDiscardedBytes: 10 });
  driver.receive(post('/0', 'x'.repeat(10)).slice(0, -10));
  driver.engine.dropRequest(driver.messages[0]);
  driver.answer(driver.messages[0], 'a');
  t.true(driver.output().includes(persists));
  t.true(driver.engine.isDiscarding);
  driver.receive('x'.repeat(10) + get('/1'));
  t.is(driver.messages.length, 2);
  driver.answer(driver.messages[1], 'b');
  driver.receive(post('/2', 'x'.repeat(11)).slice(0, -11));
  driver.engine.dropRequest(driver.messages[2]);
  driver.answer(driver.messages[2], 'c');
  t.true(driver.output().includes(closes));
  t.is(driver.engine.state, 'closing');
});

test('if a client was told that the connection persists, the rest of its request is discarded, however long it is', (t) => {
  const driver = new Driver({ maxDiscardedBytes: 10 });
  driver.receive(post('/0', 'x'.repeat(100)).slice(0, -100));
  driver.answer(driver.messages[0], 'a');
  t.true(driver.output().includes(persists));
  driver.engine.dropRequest(driver.messages[0]);
  driver.receive('x'.repeat(50));
  t.false(driver.engine.isPaused);
  t.is(driver.engine.state, 'open');
  driver.receive('x'.repeat(50) + get('/1'));
  t.is(driver.messages.length, 2);
});

test('input that will be discarded stays in the socket until the response has left', (t) => {
  const driver = new Driver({ maxDiscardedBytes: 10 });
  driver.receive(post('/0', 'x'.repeat(100)).slice(0, -100));
  driver.engine.dropRequest(driver.messages[0]);
  driver.receive('x'.repeat(11));
  t.true(driver.engine.isPaused);
  driver.answer(driver.messages[0], 'a');
  t.true(driver.output().includes(closes));
  t.is(driver.engine.state, 'closing');
});

test('a peer whose content is not consumed is read once, and its socket holds one more read', (t) => {
  const driver = new Driver({ requestWindowBytes: 131_072 });
  driver.receive(post('/', 'x'.repeat(200_000)).slice(0, 65_536));
  t.true(driver.engine.isPaused);
  driver.engine.consume(driver.messages[0], 33_000);
  t.false(driver.engine.isPaused);
});

test('the window grows to its limit while the owner keeps up, and starts over with each request', (t) => {
  const driver = new Driver({ requestWindowBytes: 131_072, maxRequestWindowBytes: 1_048_576 });
  const held = (): number => {
    let bytes = 0;
    for (; !driver.engine.isPaused; bytes += 65_536) driver.receive('x'.repeat(65_536));
    return bytes;
  };
  const content = 100 * 1_048_576;
  const head = message(['POST / HTTP/1.1', 'Host: h', `Content-Length: ${content}`]);
  driver.receive(head);
  t.is(held(), 65_536, 'nothing is consumed');
  let consumed = 0;
  const consume = (bytes: number) => {
    driver.engine.consume(driver.messages.at(-1) as Http1Message, bytes);
    consumed += bytes;
  };
  let most = 65_536;
  consume(most);
  for (let count = 0; count < 20; count++) {
    const bytes = held();
    most = Math.max(most, bytes);
    consume(bytes);
  }
  t.is(most, 1_048_576 - 131_072, 'a read that crosses it, and one by the stream of the socket, come on top');
  for (; consumed < content; consume(65_536)) driver.receive('x'.repeat(65_536));
  driver.answer(driver.messages[0], 'x');
  driver.output();
  driver.receive(head);
  driver.receive('x'.repeat(65_536));
  consume(65_536);
  t.is(held(), 65_536);
});

test('a FIN from the peer cuts off open requests, and an incomplete request is refused', (t) => {
  const driver = new Driver();
  driver.receive(`${get('/0')}GET /1`);
  driver.engine.end();
  t.is(driver.events.at(-1), 'close 0 engine 8');
  t.deepEqual(statuses(driver.output()), [400]);
  t.is(driver.engine.state, 'closing');
});

test('a drain ends an idle connection, and tells a busy one in its response', (t) => {
  const idle = new Driver();
  idle.receive(get('/'));
  idle.answer(idle.messages[0], 'x');
  idle.output();
  idle.engine.drain();
  t.is(idle.engine.state, 'closing');
  const busy = new Driver();
  busy.receive(get('/'));
  busy.engine.drain();
  t.is(busy.engine.state, 'open');
  busy.answer(busy.messages[0], 'x');
  t.true(busy.output().includes(closes));
  t.is(busy.engine.state, 'closing');
});

test('trailers of a response without content follow the last chunk too', (t) => {
  const driver = new Driver();
  driver.receive(get('/'));
  driver.engine.respond(driver.messages[0], 200, [], false);
  driver.engine.trailers(driver.messages[0], ['x-sum', '0']);
  t.regex(driver.output(), /transfer-encoding: chunked[\s\S]*\r\n\r\n0\r\nx-sum: 0\r\n\r\n$/);
});

test('a wrong call throws and says what was expected', (t) => {
  const driver = new Driver();
  driver.receive(get('/'));
  const [one] = driver.messages;
  const code = (call: () => void) => (t.throws(call) as { code?: string }).code;
  t.is(
    code(() => driver.write(one, 'x')),
    'SLUICE_HTTP1_MISUSE',
  );
  t.is(
    code(() => driver.engine.trailers(one, [])),
    'SLUICE_HTTP1_MISUSE',
  );
  t.is(
    code(() => driver.engine.accept(one, '', [])),
    'SLUICE_HTTP1_MISUSE',
  );
  t.is(
    code(() => driver.engine.consume(one, 1)),
    'SLUICE_HTTP1_MISUSE',
  );
  driver.engine.respond(one, 200, [], false);
  t.is(
    code(() => driver.engine.respond(one, 200, [], false)),
    'SLUICE_HTTP1_MISUSE',
  );
});

test('responses without content to a peer that does not read are bounded, and so are its requests', (t) => {
  const driver = new Driver({ outputLimitBytes: 10_000, maxPipelinedRequests: 100_000 });
  driver.onStarted = (one) => driver.engine.respond(one, 204, [], true);
  let sent = 0;
  for (; !driver.engine.isPaused && sent < 10_000; sent++) driver.receive(get('/'));
  t.true(sent < 200, `${sent}`);
  t.true(driver.engine.unsentBytes < 11_000, `${driver.engine.unsentBytes}`);
  driver.receive(get('/late').repeat(100));
  t.true(driver.engine.unsentBytes < 11_000, `${driver.engine.unsentBytes}`);
  let text = '';
  while (driver.engine.hasOutput) text += driver.output();
  t.is(statuses(text).length, sent + 100);
  t.false(driver.engine.isPaused);
});

test('interim responses to a peer that does not read, or that wait for earlier responses, are bounded', (t) => {
  const driver = new Driver();
  driver.receive(get('/first') + get('/second'));
  const [first, second] = driver.messages as [Http1Message, Http1Message];
  const hint = ['link', 'x'.repeat(10_000)];
  for (let i = 0; i < 20; i++) {
    driver.engine.inform(first, 103, hint);
    driver.engine.inform(second, 103, hint);
  }
  t.true(driver.engine.unsentBytes <= 65_536, `${driver.engine.unsentBytes}`);
  t.true(second.interim.length <= 65_536, `${second.interim.length}`);
  driver.engine.inform(second, 100, []);
  driver.answer(first, 'one');
  driver.answer(second, 'two');
  t.deepEqual(statuses(driver.output()), [...Array(6).fill(103), 200, ...Array(6).fill(103), 100, 200]);
});
