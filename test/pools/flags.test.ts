/** Environment and flags of Node's that a pool gives to its threads, and to nobody else. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { startServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';

const application = fileURLToPath(new URL('applications/flags.ts', import.meta.url));

test('each pool has its own variables and flags, on top of those of the process', async (t) => {
  const threads = 1;
  const { origin } = await startServer(t, {
    pools: {
      plain: { application, threads },
      own: { application, threads, env: { GREETING: 'hello' }, execArgv: ['--conditions=staging'] },
      other: { application, threads, env: { GREETING: 'goodbye', PATH: '/nowhere' } },
    },
  });
  const session = await connectHttp2(t, origin);
  const seen = async (pool: string) => {
    const { body } = await request(session, { ':path': `/${pool}/` });
    return JSON.parse(body.toString());
  };
  const { execArgv } = process;
  t.deepEqual(await seen('plain'), { path: process.env.PATH, execArgv });
  t.deepEqual(await seen('own'), {
    greeting: 'hello',
    path: process.env.PATH,
    execArgv: [...execArgv, '--conditions=staging'],
  });
  t.deepEqual(await seen('other'), { greeting: 'goodbye', path: '/nowhere', execArgv });
  t.is(process.env.GREETING, undefined);
});
