/** The admin listener without a server behind it: a real socket on the reactor, routes of the test's own. */
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { AdminListener } from '../../runtime/admin/listener.ts';
import type { AdminConfig } from '../../runtime/config/admin.ts';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import { ControlRoutes } from '../../runtime/control/routes.ts';
import { createLog } from '../../runtime/logging/log.ts';
import { Reactor } from '../../runtime/server/reactor.ts';
import { configOf, ownFolder } from '../control/control-server.ts';
import type { Scope } from '../server/harness.ts';
import { LogLines } from '../server/log-lines.ts';

export const TOKEN = 'a-token-that-is-long-enough-for-anybody';

export const bearer = (token = TOKEN) => ({ authorization: `Bearer ${token}` });

export interface TestListener {
  readonly listener: AdminListener;
  readonly routes: ControlRoutes;
  readonly log: LogLines;
  /** Address and port. */
  readonly host: string;
  readonly origin: string;
  link(): string;
}

export async function startListener(
  scope: Scope,
  input: Partial<NonNullable<ConfigInput['admin']>> = {},
  more: Partial<ConfigInput> = {},
): Promise<TestListener> {
  const folder = ownFolder(scope);
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
  const admin = { address: '127.0.0.1:0', tokenFile, ...input };
  const config = configOf({}, join(folder, 'runtime.config.json'), { ...more, admin });
  const routes = new ControlRoutes();
  routes.add('GET', '/here', (exchange) => exchange.answer(200, 'here'));
  routes.add('POST', '/here', async (exchange) => exchange.answer(200, await exchange.json()));
  const log = new LogLines();
  const listener = new AdminListener(
    config.admin as AdminConfig,
    config,
    routes,
    new Reactor(1_000, () => undefined),
    createLog({ level: 'debug', format: 'json' }, { stream: log.stream, isTerminal: false, colour: false }),
  );
  scope.teardown(() => listener.close());
  await listener.open();
  const host = String((await log.until('admin on')).address);
  return { listener, routes, log, host, origin: `http://${host}`, link: () => String(listener.makeLink()) };
}

export function connectTo({ host }: Pick<TestListener, 'host'>): Socket {
  const [address, port] = host.split(':');
  // What an end looks like to the client is not what these tests are about.
  return connect(Number(port), address).on('error', () => undefined);
}

/** Exactly these fields, which no client of Node's would all let through. */
export function requestText(
  { host }: Pick<TestListener, 'host'>,
  method: string,
  path: string,
  fields: Readonly<Record<string, string>> = {},
  body = '',
): string {
  const all = { host, ...(body !== '' && { 'content-length': String(body.length) }), ...fields };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

export async function ask(
  running: Pick<TestListener, 'host'>,
  method: string,
  path: string,
  fields: Readonly<Record<string, string>> = {},
  body = '',
) {
  const socket = connectTo(running);
  socket.write(requestText(running, method, path, { connection: 'close', ...fields }, body));
  return answerIn(await text(socket));
}

export function answerIn(answer: string) {
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  const content = rest.join('\r\n\r\n');
  return {
    status: Number(head.slice(9, 12)),
    head: head.toLowerCase(),
    content,
    code: /"code":"(\w+)"/.exec(content)?.[1],
    cookie: /^set-cookie: (.*)$/im.exec(head)?.[1],
  };
}
