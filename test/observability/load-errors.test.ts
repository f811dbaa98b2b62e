/** What the log says of an application that does not load: stack, file, line, and the source there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { formatLine } from '../../wire/log-line.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { startProcess } from '../server/process.ts';

function written(t: ExecutionContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-load-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'app.mjs');
  writeFileSync(file, text);
  return file;
}

const THROWS = `const name = 'setting';
function read() {
  throw new Error(\`\${name} is missing\`);
}
export default () => read();
read();
`;

test.serial('at a start: where it threw, as far as a person has to look', async (t) => {
  const file = written(t, THROWS);
  const { log, ended } = startProcess(t, { pools: { app: { application: file } } });
  t.is((await ended).code, 3);
  const line = log.find('expected an application module');
  t.like(line, { level: 'fatal', code: 'SLUICE_APPLICATION_LOAD_FAILED' });
  t.regex(
    String((line?.err as { stack: string } | undefined)?.stack),
    /setting is missing\n\s+at read \(file:.*app\.mjs:3:9\)/,
  );
  const at = `${file}:3:9\n  throw new Error(\`\${name} is missing\`);\n        ^`;
  t.is(line?.source, at);
  const shown = formatLine(JSON.stringify(line), false);
  t.true(shown.includes(`\n${at.replace(/^/gm, '    ')}\n`), shown);
});

test.serial('of a syntax error too, and at a reload what runs goes on', async (t) => {
  const file = written(t, "export default (exchange) => exchange.respond(200, {}, 'well');\n");
  const { child, log, listening } = startProcess(t, { pools: { app: { application: file } } });
  const origin = await listening();
  writeFileSync(file, 'export default (exchange) => {\n  exchange.respond(200;\n};\n');
  child.kill('SIGHUP');
  const line = await log.until('not reloaded');
  t.like(line, { level: 'error', code: 'SLUICE_APPLICATION_LOAD_FAILED' });
  t.regex(String(line.source), /app\.mjs:2\n {2}exchange\.respond\(200;$/);
  t.is(String((await requestHttp1(origin)).body), 'well');
});
