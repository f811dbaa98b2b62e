/** A control socket without a server behind it: a real socket on the reactor, routes of the test's own, its log at hand. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../runtime/config/config.ts';
import { parseConfig } from '../../runtime/config/load.ts';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import { ControlClient } from '../../runtime/control/client.ts';
import type { Environment } from '../../runtime/control/folder.ts';
import { ControlRoutes } from '../../runtime/control/routes.ts';
import { ControlServer } from '../../runtime/control/server.ts';
import { createLog } from '../../runtime/logging/log.ts';
import { Reactor } from '../../runtime/server/reactor.ts';
import type { Scope } from '../server/harness.ts';
import { LogLines } from '../server/log-lines.ts';

/** A folder of the test's own, short enough for sockets below it. */
export function ownFolder(scope: Scope): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-c-')));
  scope.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function configOf(
  control: ConfigInput['control'],
  file: string,
  more: Partial<ConfigInput> = {},
): Config {
  const input = {
    pools: { app: { application: './app.ts' } },
    routes: [{ path: '/*', pool: 'app' }],
    control,
    ...more,
  };
  return parseConfig(JSON.stringify(input), file);
}

export interface TestControl {
  readonly control: ControlServer;
  readonly routes: ControlRoutes;
  readonly config: Config;
  readonly log: LogLines;
  readonly environment: Environment;
  readonly path: string;
  client(): Promise<ControlClient>;
}

/** @param base in whose folder the socket is to be, where the configuration has no path */
export async function startControl(
  scope: Scope,
  base: string,
  input: ConfigInput['control'] = {},
  more: Partial<ConfigInput> = {},
): Promise<TestControl> {
  const config = configOf(input, join(base, 'runtime.config.json'), more);
  const log = new LogLines();
  const routes = new ControlRoutes();
  const reactor = new Reactor(1_000, () => undefined);
  const control = new ControlServer(
    config,
    routes,
    reactor,
    createLog({ level: 'debug', format: 'json' }, { stream: log.stream, isTerminal: false, colour: false }),
  );
  scope.teardown(() => control.close());
  const environment = { XDG_RUNTIME_DIR: base };
  await control.open(environment);
  const path = control.path as string;
  const client = async (): Promise<ControlClient> => {
    const opened = await ControlClient.open(path);
    scope.teardown(() => opened.close());
    return opened;
  };
  return { control, routes, config, log, environment, path, client };
}
