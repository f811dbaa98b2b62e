/** What of docs/deployment.md cannot be run here, held against what the programs that read it say or want. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import anyTest from 'ava';
import { blocksOf, read } from './markdown.ts';

const execute = promisify(execFile);
const page = read('docs/deployment.md');
const yaml: { load(text: string): unknown } = createRequire(import.meta.url)('js-yaml');
const test = anyTest;

function blocksBelow(heading: string, language: string): string[] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  return blocksOf(section.split('\n## ')[0] as string)
    .filter((block) => block.language === language)
    .map(({ text }) => text);
}

const SYSTEMD_ANALYZE = '/usr/bin/systemd-analyze';
const withSystemd = existsSync(SYSTEMD_ANALYZE) ? anyTest.serial : anyTest.serial.skip;

withSystemd('systemd has nothing to say against the units', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-units-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const files = blocksBelow('systemd', 'ini').map((unit) => {
    const [, name = ''] = /^# \/etc\/systemd\/system\/(\S+)/.exec(unit) ?? [];
    const file = join(folder, name);
    // Programs of the page are not where it is tested, and systemd looks for them.
    writeFileSync(file, unit.replaceAll('/usr/bin/node', process.execPath));
    return file;
  });
  t.is(files.length, 2);
  const { stdout, stderr } = await execute(SYSTEMD_ANALYZE, ['verify', '--man=no', ...files]);
  const ours = `${stdout}${stderr}`.split('\n').filter((line) => files.some((file) => line.includes(file)));
  t.deepEqual(ours, []);
});

test('the unit waits for as long as a drain may take, and reloads by the signal of a reload', (t) => {
  const [service = ''] = blocksBelow('systemd', 'ini');
  const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(service)?.[1]);
  t.true(seconds > DRAIN_TIMEOUT_MS / 1_000);
  t.regex(service, /^ExecReload=.* -HUP \$MAINPID$/m);
  t.regex(service, /^KillSignal=SIGTERM$/m);
});

/** Of schema.json. */
const DRAIN_TIMEOUT_MS: number = JSON.parse(read('runtime/config/schema.json')).properties.drainTimeoutMs
  .default;

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
interface Container {
  readonly command?: string[];
  readonly args: string[];
  readonly ports: { name: string; containerPort: number }[];
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly startupProbe: Probe;
  readonly lifecycle?: object;
  readonly securityContext: Record<string, unknown>;
  readonly volumeMounts: { name: string; mountPath: string }[];
}
interface Deployment {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: {
    readonly selector: { readonly matchLabels: Record<string, string> };
    readonly template: {
      readonly metadata: { labels: Record<string, string>; annotations: Record<string, string> };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: Container[];
        readonly volumes: { name: string }[];
      };
    };
  };
}

test('the Kubernetes manifest agrees with itself and with the configuration beside it', (t) => {
  const [text = ''] = blocksBelow('Kubernetes', 'yaml');
  const { apiVersion, kind, spec } = yaml.load(text) as Deployment;
  t.is(`${apiVersion} ${kind}`, 'apps/v1 Deployment');
  const { metadata, spec: pod } = spec.template;
  t.like(metadata.labels, spec.selector.matchLabels);
  const [container] = pod.containers as [Container];
  const ports = new Map(container.ports.map(({ name, containerPort }) => [name, containerPort]));
  for (const [probe, path] of [
    [container.livenessProbe, '/livez'],
    [container.readinessProbe, '/readyz'],
    [container.startupProbe, '/readyz'],
  ] as const) {
    t.is(probe.httpGet.path, path);
    t.true(ports.has(probe.httpGet.port));
  }
  const own = JSON.parse(blocksBelow('Kubernetes', 'json')[0] as string);
  t.is(own.monitoring.address, `0.0.0.0:${ports.get('monitoring')}`);
  t.is(metadata.annotations['prometheus.io/port'], String(ports.get('monitoring')));
  t.is(container.args[container.args.indexOf('--address') + 1], `0.0.0.0:${ports.get('http')}`);
  // Process 1 is the server, which hears the signals itself.
  t.is(container.args[0], 'node');
  // From SIGTERM to the end; without a hook, as the server itself waits for endpoints to be updated.
  t.is(container.lifecycle, undefined);
  t.true(own.drainDelayMs > 0);
  t.true(pod.terminationGracePeriodSeconds * 1_000 > own.drainDelayMs + DRAIN_TIMEOUT_MS);
  t.like(container.securityContext, {
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
  });
  // The control socket wants a folder that can be written.
  t.deepEqual(
    container.volumeMounts.map(({ name, mountPath }) => [name, mountPath]),
    [['tmp', '/tmp']],
  );
  t.true(pod.volumes.some(({ name }) => name === 'tmp'));
});

test('the image runs the server itself, as a user who is not root', (t) => {
  const [text = ''] = blocksBelow('Containers', 'dockerfile');
  const instructions = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [line.split(' ')[0], line.slice(line.indexOf(' ') + 1)] as const);
  const known = ['FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'EXPOSE', 'STOPSIGNAL', 'CMD'];
  for (const [instruction] of instructions) t.true(known.includes(instruction as string), instruction);
  const last = instructions.slice(instructions.findLastIndex(([instruction]) => instruction === 'FROM'));
  const final = new Map(last);
  t.regex(final.get('FROM') as string, /-slim$/);
  t.is(final.get('USER'), 'node');
  t.is(final.get('STOPSIGNAL'), 'SIGTERM');
  const command = JSON.parse(final.get('CMD') as string) as string[];
  t.deepEqual(command.slice(0, 3), ['node', 'node_modules/sluice/dist/runtime/cli.js', 'start']);
  const names = instructions.map(([instruction]) => instruction);
  t.true(names.lastIndexOf('USER') < names.lastIndexOf('CMD'));
});
