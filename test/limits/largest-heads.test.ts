/**
 * The largest heads that the limits allow reach an application through the smallest ring that the
 * configuration allows.
 */
import test from 'ava';
import { parseConfig } from '../../runtime/config/load.ts';
import { MAX_REQUEST_ID_CHARS } from '../../runtime/config/request-id-schema.ts';
import { MAX_AUTHORITY_CHARS } from '../../runtime/http1/host.ts';
import { message, RawClient } from '../http1/raw.ts';
import {
  application,
  configInput,
  FileScope,
  type ServerInput,
  startServer,
  type TestServer,
} from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';

const RING_BYTES = 262_144;

const scope = new FileScope();
test.after.always(() => scope.end());

function input(headBytes: number, more: Pick<ServerInput, 'requestId'>): ServerInput {
  return {
    pools: {
      pool: {
        application: application('server', 'messages'),
        threads: { max: 1 },
        // With one slot, a lost slot or lost space in the ring shows at once.
        exchangesPerThread: 1,
        ringBytes: RING_BYTES,
      },
    },
    listeners: [{ address: '127.0.0.1:0', trustedProxies: ['127.0.0.1'] }],
    limits: { maxTargetBytes: headBytes },
    http1: { maxHeaderBytes: headBytes, maxFieldLines: 65_536 },
    http2: { maxFieldListBytes: headBytes, maxFieldLines: 65_536 },
    ...more,
  };
}

/** One byte more would require a ring of 512 KiB. */
function mostHeadBytes(more: Pick<ServerInput, 'requestId'>): number {
  let admitted = 0;
  let refused = RING_BYTES;
  while (refused - admitted > 1) {
    const headBytes = (admitted + refused) >> 1;
    try {
      parseConfig(JSON.stringify(configInput(input(Math.max(headBytes, 1_024), more))), 'test.config.json');
      admitted = headBytes;
    } catch {
      refused = headBytes;
    }
  }
  return admitted;
}

interface Kind {
  readonly what: string;
  readonly headBytes: number;
  readonly server: () => Promise<TestServer>;
}

function kindOf(what: string, more: Pick<ServerInput, 'requestId'>): Kind {
  const headBytes = mostHeadBytes(more);
  let server: Promise<TestServer> | null = null;
  return { what, headBytes, server: () => (server ??= startServer(scope, input(headBytes, more))) };
}

const plain = kindOf('alone', {});
const kinds = [plain, kindOf('beside an identifier', { requestId: {} })];

test('the largest configured head takes a little less than a third of the ring', (t) => {
  t.deepEqual(
    kinds.map(({ headBytes }) => headBytes),
    [42_494, 42_365],
  );
});

type Line = readonly [name: string, value: string];

const longestHost = `${'h'.repeat(MAX_AUTHORITY_CHARS - 5)}:8080`;
const PROXIED = 'what a proxy says';
/**
 * The Host of a request is not passed as a field. If a proxy names another host, Host must therefore take no
 * space.
 */
const hostOf = (shape: string) => (shape === PROXIED ? 'h' : longestHost);

/** Ways to fill up a head, given the space left and the cost of a line beyond its name and value. */
const fillings: { readonly [shape: string]: (room: number, overhead: number) => Line[] } = {
  'one long line': (room, overhead) => [['x', 'v'.repeat(room - overhead - 1)]],
  'one long line of two-byte characters': (room, overhead) => [['x', '\xe9'.repeat(room - overhead - 1)]],
  'as many lines as there can be': (room, overhead) => {
    const lines = Array.from({ length: Math.floor(room / (overhead + 1)) - 1 }, (): Line => ['x', '']);
    const rest = room - lines.length * (overhead + 1);
    return [...lines, ['y', 'v'.repeat(rest - overhead - 1)]];
  },
  [PROXIED]: (room, overhead) => {
    const named: Line[] = [
      ['x-forwarded-host', longestHost],
      ['x-forwarded-for', '2001:db8:1111:2222:3333:4444:192.100.100.100'],
      ['x-request-id', 'i'.repeat(MAX_REQUEST_ID_CHARS)],
    ];
    return [...named, ['x', 'v'.repeat(room - sizeOf(named, overhead) - overhead - 1)]];
  },
};

const sizeOf = (lines: readonly Line[], overhead: number) =>
  lines.reduce((sum, [name, value]) => sum + name.length + value.length + overhead, 0);

async function overHttp1({ port }: TestServer, room: number, shape: string): Promise<number> {
  const client = await RawClient.connect(scope, port);
  const fixed: Line[] = [['host', hostOf(shape)]];
  const target = '/hello';
  const lines = [...fixed, ...fillings[shape]!(room - target.length - sizeOf(fixed, 4), 4)];
  client.send(message([`GET ${target} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`)]));
  return (await client.response()).status;
}

async function overHttp2({ origin }: TestServer, room: number, shape: string): Promise<number> {
  const session = await connectHttp2(scope, origin, { maxSendHeaderBlockLength: 10 * room });
  const pseudo = { ':method': 'GET', ':scheme': 'http', ':authority': hostOf(shape), ':path': '/hello' };
  const headers: { [name: string]: string | string[] } = { ...pseudo };
  const lines = fillings[shape]!(room - sizeOf(Object.entries(pseudo), 32), 32);
  for (const [name, value] of lines) (headers[name] = [headers[name] ?? []].flat()).push(value);
  const { status } = await request(session, headers);
  session.close();
  return status;
}

for (const { what, headBytes, server } of kinds) {
  for (const [version, ask] of [
    ['HTTP/1.1', overHttp1],
    ['HTTP/2', overHttp2],
  ] as const) {
    for (const shape of Object.keys(fillings)) {
      test.serial(
        `the largest head reaches its application, and one byte more is answered 431: ${version}, ${shape}, ${what}`,
        async (t) => {
          const started = await server();
          t.is(await ask(started, headBytes, shape), 200);
          t.is(await ask(started, headBytes + 1, shape), 431);
          t.is(await ask(started, headBytes, shape), 200);
        },
      );
    }
  }

  test.serial(`the longest target reaches its application, ${what}`, async (t) => {
    const client = await RawClient.connect(t, (await server()).port);
    const target = `/hello?${'q'.repeat(headBytes - 7 - 9)}`;
    client.send(message([`GET ${target} HTTP/1.1`, 'host: a']));
    t.is((await client.response()).status, 200);
  });
}

for (const [what, name, value] of [
  ['a host', 'host', 'h'.repeat(25_000)],
  ['a host of one character too many', 'host', `h${longestHost}`],
  ['a host that a proxy names', 'x-forwarded-host', 'h'.repeat(25_000)],
  ['a host that a proxy names in Forwarded', 'forwarded', `for=192.0.2.1;host=${'h'.repeat(25_000)}`],
  ['an address that a proxy names', 'x-forwarded-for', `fe80::1%${'z'.repeat(25_000)}`],
] as const) {
  test.serial(
    `a value that no message could carry twice is answered 400, and the next request is served: ${what}`,
    async (t) => {
      const server = await plain.server();
      const client = await RawClient.connect(t, server.port);
      client.send(
        message(['GET /hello HTTP/1.1', ...(name === 'host' ? [] : ['host: a']), `${name}: ${value}`]),
      );
      t.is((await client.response()).status, 400);
      const session = await connectHttp2(t, server.origin, {
        maxSendHeaderBlockLength: 10 * plain.headBytes,
      });
      const head = { ':method': 'GET', ':scheme': 'http', ':path': '/hello' };
      const wrong = name === 'host' ? { ':authority': value } : { ':authority': 'a', [name]: value };
      t.is((await request(session, { ...head, ...wrong })).status, 400);
      t.is((await request(session, { ...head, ':authority': 'a' })).status, 200);
    },
  );
}
