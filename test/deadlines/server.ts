/** A server whose deadlines are as short as its clock can resolve, and requests for it. */
import { fileURLToPath } from 'node:url';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import { type Scope, startServer, type TestServer } from '../server/harness.ts';
import { requestHead } from '../server/raw-http2.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

type Limits = NonNullable<ConfigInput['limits']>;

/** Checked at every tick, once a second. */
export const RATE = { bytesPerSecond: 1_000, windowMs: 1_000 };

/** For peers that must not be found slow: a machine that pauses briefly stays below this. */
export const PATIENT_RATE = { bytesPerSecond: 1_000, windowMs: 3_000 };

export function startPaced(
  scope: Scope,
  limits: Limits,
  more: Pick<ConfigInput, 'http1' | 'http2' | 'listeners'> = {},
): Promise<TestServer> {
  const application = fileURLToPath(new URL('applications/paces.ts', import.meta.url));
  return startServer(scope, {
    pools: { paces: { application, threads: { min: 1, max: 1 } } },
    routes: [
      { path: '/*', pool: 'paces', websocket: true },
      { host: 'patient.invalid', path: '/*', pool: 'paces', minRequestBytesPerSecond: 0 },
    ],
    limits,
    ...more,
  });
}

export function head(server: TestServer, method: string, path: string): Buffer {
  return requestHead(method, path, { [SIGNALS_FIELD]: server.signals.name });
}

/** The head of an HTTP/1.1 request. */
export function head1(server: TestServer, method: string, path: string, ...lines: readonly string[]): string {
  const all = [
    `${method} ${path} HTTP/1.1`,
    'host: test.invalid',
    `${SIGNALS_FIELD}: ${server.signals.name}`,
  ];
  return `${[...all, ...lines].join('\r\n')}\r\n\r\n`;
}
