/** Modules as tools emit them and as programs are written: which export, which server, and what they see of their process. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { WebSocket } from 'ws';
import { ApplicationLoadError } from '../../runtime/pools/application-load-error.ts';
import { freePort } from '../server/free-port.ts';
import { FileScope, type PoolInput, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';

const file = (name: string): string => fileURLToPath(new URL(`programs/${name}`, import.meta.url));

/** What each answers to `GET /`. */
const programs: Readonly<Record<string, readonly [body: string, pool?: Partial<PoolInput>]>> = {
  'compiled.cjs': ['compiled'],
  'members.cjs': ['a member'],
  'named.mjs': ['later than the module'],
  'handler.mjs': ['a handler'],
  'fetching.mjs': ['fetched'],
  'promised.mjs': ['promised'],
  'rest.mjs': ['any number of parameters', { kind: 'node' }],
  'rest-named.mjs': ['a named one of any number', { kind: 'node' }],
  'listens-first.mjs': ['listened first'],
  'main.cjs': ['true true true'],
  'two-servers.mjs': ['the application', { port: 3000 }],
  'streams.mjs': ['a stream of /'],
  'page.jsx': [
    '<p>a page</p>',
    { execArgv: ['--import', new URL('programs/compiling.mjs', import.meta.url).href] },
  ],
};

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  const names = Object.entries(programs);
  server = await startServer(scope, {
    pools: Object.fromEntries(
      names.map(([name, [, pool]], n) => [
        `p${n}`,
        { application: file(name), threads: { min: 1, max: 1 }, ...pool },
      ]),
    ),
    routes: names.map((_, n) => ({ host: `p${n}.test`, path: '/*', pool: `p${n}` })),
  });
});
test.after.always(() => scope.end());

for (const [n, [name, [expected]]] of Object.entries(programs).entries()) {
  test(`${name} answers`, async (t) => {
    const { status, body } = await requestHttp1(`${server.origin}/`, { headers: { host: `p${n}.test` } });
    t.deepEqual([status, body.toString()], [200, expected]);
  });
}

test('an export that the pool names is the application', async (t) => {
  const pool = { application: file('named.mjs'), export: 'respond', threads: { min: 1, max: 1 } };
  const { origin } = await startServer(t, { pools: { named: pool } });
  t.is((await requestHttp1(`${origin}/`)).body.toString(), 'later than the module');
});

test('a server of WebSockets that has no request listener is one that listens', async (t) => {
  const pool = { application: file('sockets.mjs'), threads: { min: 1, max: 1 } };
  const { origin } = await startServer(t, {
    pools: { sockets: pool },
    routes: [{ path: '/*', pool: 'sockets', websocket: true }],
  });
  const socket = new WebSocket(origin.replace('http', 'ws'));
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  socket.send('hi');
  const [data] = await once(socket, 'message');
  t.is(String(data), 'got hi');
});

test('calls that act on the whole process throw, and say what to do instead', async (t) => {
  const pool = { application: file('traps.mjs'), threads: { min: 1, max: 1 } };
  const { origin } = await startServer(t, { pools: { traps: pool } });
  const { told, umask } = JSON.parse((await requestHttp1(`${origin}/`)).body.toString());
  const names = [
    'abort',
    'chdir',
    'umask',
    'setuid',
    'seteuid',
    'setgid',
    'setegid',
    'setgroups',
    'initgroups',
  ];
  for (const [n, name] of names.entries()) {
    const [code, cause, message] = told[n];
    t.deepEqual([code, cause], ['SLUICE_PROCESS_IN_THREAD', 'ERR_WORKER_UNSUPPORTED_OPERATION'], name);
    t.regex(message, new RegExp(`it calls process\\.${name}\\(\\): (start|throw|set) `));
  }
  // To read it is no harm.
  t.is(umask, 'number');
});

for (const [name, expected] of [
  ['build()', 'built'],
  ['default()', 'made by default'],
  ['listening()', 'started'],
] as const) {
  test(`an export that the pool names ${name} is called and gives the application`, async (t) => {
    const pool = { application: file('factories.mjs'), export: name, threads: { min: 1, max: 1 } };
    const { origin } = await startServer(t, { pools: { made: pool } });
    t.is((await requestHttp1(`${origin}/`)).body.toString(), expected);
  });
}

const refused: readonly (readonly [name: string, says: RegExp, pool?: Partial<PoolInput>])[] = [
  ['rest.mjs', /a function of any number of parameters.*state its `kind`/],
  [
    'rest-named.mjs',
    /it exports handler, options, startServer; 'handler' is a function of any number.*state its `kind`/,
  ],
  [
    'two-servers.mjs',
    /expected one server that listens, found 2, on the ports 9464, 3000: say by the pool's `port`/,
  ],
  ['forking.mjs', /it calls cluster\.fork\(\)/],
  ['clustered.mjs', /it calls cluster\.fork\(\): start the server in this thread/],
  ['factories.mjs', /expected an export 'number\(\)' that is an application.*is 7/, { export: 'number()' }],
  ['factories.mjs', /expected an export 'nothing\(\)' that is an application/, { export: 'nothing()' }],
  [
    'factories.mjs',
    /expected an export that can be called.*'absent\(\)'.*it exports build, default, listening/,
    { export: 'absent()' },
  ],
  ['members.cjs', /expected an export 'start'.*it exports/, { export: 'start' }],
];

for (const [name, says, pool] of refused) {
  test(`${name} is refused when it loads${pool === undefined ? '' : ` with ${JSON.stringify(pool)}`}`, async (t) => {
    const wrong = { application: file(name), threads: { min: 1, max: 1 }, ...pool };
    const error = await t.throwsAsync(startServer(t, { pools: { wrong } }));
    t.is((error as { code?: string } | undefined)?.code, 'SLUICE_APPLICATION_LOAD_FAILED');
    t.regex(error?.message ?? '', says);
  });
}

test('settings of a server that have no effect are told of, with those of the configuration that have', async (t) => {
  const pool = { application: file('settings.mjs'), threads: { min: 1, max: 1 } };
  const { origin } = await startServer(t, { pools: { settings: pool } });
  const warnings = JSON.parse((await requestHttp1(`${origin}/`)).body.toString());
  t.deepEqual(warnings, [
    {
      code: 'SLUICE_SERVER_SETTING',
      message:
        "settings of the application's server for connections have no effect, the connections are Sluice's: " +
        'server.maxRequestsPerSocket = 100 (set http1.maxRequestsPerConnection), ' +
        'server.maxHeaderSize = 20000 (set http1.maxHeaderBytes)',
    },
  ]);
});

test('a server whose port the pool names listens in one thread at a time, and is no application', async (t) => {
  const port = await freePort();
  const metrics = async (path = '/') => {
    const answer = await requestHttp1(`http://127.0.0.1:${port}${path}`).catch(() => null);
    return answer === null ? null : answer.body.toString();
  };
  const pool = {
    application: file('bound.mjs'),
    binds: [port],
    env: { METRICS_PORT: String(port) },
    threads: { min: 2, max: 2 },
  };
  const { origin } = await startServer(t, { pools: { bound: pool } });
  t.is((await requestHttp1(`${origin}/`)).body.toString(), 'the application');
  const first = await metrics();
  t.regex(first ?? '', /^metrics of \d+$/);
  t.is(await metrics(), first);
  // Ends the thread that has it.
  await metrics('/die');
  let next: string | null = null;
  while (next === null) next = await metrics();
  t.regex(next, /^metrics of \d+$/);
  t.not(next, first);
});

for (const [configured, says] of [
  [undefined, 'timeout=65'],
  [7_000, 'timeout=7'],
] as const) {
  test(`keepAliveTimeout of a server counts where the configuration says ${configured ?? 'nothing'}`, async (t) => {
    const pools = Object.fromEntries(
      ['settings.mjs', 'compiled.cjs'].map((name) => [name.slice(0, 4), { application: file(name) }]),
    );
    const { origin } = await startServer(t, {
      pools,
      routes: [{ path: '/*', pool: 'sett' }],
      ...(configured !== undefined && { http1: { keepAliveTimeoutMs: configured } }),
    });
    const agent = new Agent({ keepAlive: true });
    t.teardown(() => agent.destroy());
    const { headers } = await requestHttp1(`${origin}/`, { agent });
    t.is(headers['keep-alive'], says);
  });
}

test('a syntax error in what a module imports is told with its file, line and place', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-syntax-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const application = join(directory, 'app.mjs');
  const broken = join(directory, 'broken.mjs');
  await writeFile(application, "import { respond } from './broken.mjs';\n\nexport default respond;\n");
  await writeFile(broken, 'export const respond = () => undefined;\n\nconst wrong = ;\n');
  const error = await t.throwsAsync(startServer(t, { pools: { wrong: { application } } }), {
    instanceOf: ApplicationLoadError,
  });
  t.true(error?.message.endsWith(`got SyntaxError: Unexpected token ';' (${broken}:3)`), error?.message);
  t.true(
    error?.report.stack.startsWith(`${broken}:3\nconst wrong = ;\n              ^\n`),
    error?.report.stack,
  );
});
