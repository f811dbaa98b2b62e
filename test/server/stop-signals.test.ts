/** Signals at any moment of a start: SIGTERM and SIGINT drain the server, and the process ends with 0; SIGHUP reloads it once it runs. */
import test from 'ava';
import { application } from './harness.ts';
import { startProcess } from './process.ts';

const pools = { messages: { application: application('server', 'messages'), threads: { max: 1 } } };

/** Code that runs in the process before any of the server's, and sends it the signal when it loads this module of ours. */
function onLoadOf(module: string, signal: NodeJS.Signals): string {
  const code = `
    import { registerHooks } from 'node:module';
    registerHooks({
      load(url, context, next) {
        if (url.endsWith('${module}')) process.kill(process.pid, '${signal}');
        return next(url, context);
      },
    });`;
  return `--import data:text/javascript,${encodeURIComponent(code)}`;
}

const modules = ['/runtime/logging/log.ts', '/runtime/process/serve.ts', '/runtime/server/server.ts'];

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  for (const module of modules) {
    test(`${signal} while ${module.slice(1)} is loaded is a drain, before there is anything to drain`, async (t) => {
      const { ended, log } = startProcess(t, { pools }, [], { NODE_OPTIONS: onLoadOf(module, signal) });
      t.deepEqual(await ended, { code: 0, signal: null });
      t.deepEqual(
        log.lines.flatMap(({ msg = '' }) => /^(?:listening|draining|stopped)/.exec(msg) ?? []),
        ['draining', 'stopped'],
      );
    });
  }

  test(`${signal} at the line that says that the server listens is a drain`, async (t) => {
    const { child, ended, log } = startProcess(t, { pools });
    child.stdout?.on('data', (text: string) => {
      if (text.includes('listening on')) child.kill(signal);
    });
    t.deepEqual(await ended, { code: 0, signal: null });
    t.truthy(log.find('stopped'));
  });
}

for (const module of modules) {
  test(`SIGHUP while ${module.slice(1)} is loaded reloads the server once it runs`, async (t) => {
    const hook = { NODE_OPTIONS: onLoadOf(module, 'SIGHUP') };
    const { child, ended, log } = startProcess(t, { pools }, [], hook);
    await log.until('reloaded: ');
    t.is(log.count('reload requested'), 1);
    child.kill('SIGTERM');
    t.deepEqual(await ended, { code: 0, signal: null });
  });
}
