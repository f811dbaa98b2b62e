/** Which protocol a connection's first bytes select, however they are split. */
import { connect } from 'node:net';
import test from 'ava';
import { protocolOf } from '../../runtime/listeners/protocol.ts';
import { application, FileScope, startServer, type TestServer } from '../server/harness.ts';

const cases: readonly [bytes: string, is: ReturnType<typeof protocolOf>][] = [
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'http2'],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore', 'http2'],
  ['GET ', 'http1'],
  ['M-SEARCH ', 'http1'],
  ['BREW /pot HTTP/1.1\r\n', 'http1'],
  ['BREW /pot HTTP/9.9\n', 'http1'],
  ['get / HTTP/1.1\r\n', 'http1'],
  ['INVALID CONNECTION PREFACE\r\n', 'none'],
  ['PRI * HTTP/2.0 \r\n\r\nSM', 'none'],
  ['PRI * H\0\0', 'none'],
  ['NOISE \0', 'none'],
  ['GETHEAD /a\r\n', 'none'],
  ['GETHEAD /a HTTP/1.1\r\n', 'http1'],
  ['GET\r\n', 'http1'],
  ['EHLO mail.invalid\r\n', 'none'],
  ['\r\nGET / HTTP/1.1\r\n', 'http1'],
  ['\x16\x03\x01', 'http1'],
  ['\0', 'http1'],
  [`${'X'.repeat(8_192)}`, 'http1'],
];

for (const [bytes, is] of cases) {
  test(`${JSON.stringify(bytes.slice(0, 40))} begins ${is}, in one piece or byte by byte`, (t) => {
    const whole = Buffer.from(bytes, 'latin1');
    t.is(protocolOf(whole), is);
    for (let length = 1; length < whole.length; length++) {
      const part = protocolOf(whole.subarray(0, length));
      t.true(part === null || part === is, `${length} bytes: ${part}`);
    }
  });
}

const scope = new FileScope();
let server: TestServer;
test.before(async () => {
  const pools = { messages: { application: application('server', 'messages'), threads: { min: 1, max: 1 } } };
  server = await startServer(scope, { pools });
});
test.after.always(() => scope.end());

/** Everything that the server sends on a new connection. */
function said(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(server.port, '127.0.0.1');
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => {
      text += piece;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
    socket.end(bytes, 'latin1');
  });
}

test('RFC 9113 section 3.4: a connection that begins like neither version is closed without a response', async (t) => {
  t.is(await said('INVALID CONNECTION PREFACE\r\n\r\n'), '');
  await server.log.until('connection refused', ({ refusal }) => refusal === 'no-http');
});

test('RFC 9110 section 15.6.2: an unknown method is answered 501', async (t) => {
  t.regex(await said('BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n'), /^HTTP\/1\.1 501 /);
});
