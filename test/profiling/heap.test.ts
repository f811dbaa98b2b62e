/** `sluice profile heap` and `heap-snapshot`. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import anyTest from 'ava';
import { FileScope } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { type ProfiledServer, runProfile, startProfiledServer } from './profiled-server.ts';

const test = anyTest.serial;
const scope = new FileScope();
let server: ProfiledServer;

test.before(async () => {
  server = await startProfiledServer(scope);
});
test.after.always(() => scope.end());

interface HeapNode {
  readonly callFrame: { readonly functionName: string };
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

function bytesOf(node: HeapNode, functionName: string): number {
  const own = node.callFrame.functionName === functionName ? node.selfSize : 0;
  return node.children.reduce((sum, child) => sum + bytesOf(child, functionName), own);
}

test('a sampling heap profile shows in which thread a function allocated what is still live', async (t) => {
  const command = runProfile(t, server, ['heap', '--no-clinic']);
  await command.running;
  for (let i = 0; i < 4; i++) t.is((await requestHttp1(`${server.origin}/light/keep`)).status, 200);
  const { code, files } = await command.interrupt();
  t.is(code, 0);
  t.deepEqual(files, [
    'light-1.heapprofile',
    'profile.clinic-heapprofiler',
    'reactor.heapprofile',
    'render-1.heapprofile',
    'render-2.heapprofile',
  ]);
  const read = (file: string): HeapNode => JSON.parse(readFileSync(join(command.output, file), 'utf8')).head;
  t.true(bytesOf(read('light-1.heapprofile'), 'keepObjects') > 1_000_000);
  t.is(bytesOf(read('render-1.heapprofile'), 'keepObjects'), 0);
  const all = read('profile.clinic-heapprofiler');
  const names = all.children.map(({ callFrame }) => callFrame.functionName);
  t.deepEqual(names.sort(), ['light-1', 'reactor', 'render-1', 'render-2']);
  t.true(bytesOf(all, 'keepObjects') > 1_000_000);
});

test('a snapshot is one thread’s whole heap, and the command warns of its cost and contents', async (t) => {
  t.is((await requestHttp1(`${server.origin}/light/keep`)).status, 200);
  const command = runProfile(t, server, ['heap-snapshot', '--thread', 'light-1']);
  const { code, stdout, stderr, files } = await command.ended;
  t.is(code, 0);
  t.deepEqual(files, ['light-1.heapsnapshot']);
  const file = join(command.output, 'light-1.heapsnapshot');
  t.is(stdout, `${file}\n`);
  t.is(statSync(file).mode & 0o777, 0o600);
  t.regex(stderr, /light-1 stands still while its heap is written down.*secrets and personal data/);
  t.regex(stderr, /the thread stood still for \d+ ms/);
  const { snapshot, strings } = JSON.parse(readFileSync(file, 'utf8'));
  t.true(snapshot.node_count > 20_000);
  t.true(strings.includes('a-secret-in-the-heap'), 'which is why it warns');
  t.is(server.log.count('thread died'), 0);
});
