/** One thread sends many files: how much it reads at a time, and in which order. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import { Files } from '../../workers/static/files.ts';
import type { StaticOptions } from '../../workers/static/options.ts';
import { ReadTurns, TURN_BYTES } from '../../workers/static/read-turns.ts';
import { MemoryExchange } from '../apps/memory-exchange.ts';
import { ScriptedDisk } from './scripted-disk.ts';

const options: StaticOptions = {
  root: '/root',
  path: '/*',
  index: [],
  dotfiles: 'hide',
  symlinks: 'inside',
  precompressed: [],
  recheckMs: 0,
  etag: 'mtime',
  cacheControl: '',
  maxRanges: 16,
  readBytes: 65_536,
};
const PIECES = TURN_BYTES / options.readBytes;

/** A thread whose turns come when the test says so, with the paths and lengths of its reads. */
function thread(files: { readonly [path: string]: Buffer }) {
  const disk = new ScriptedDisk(files);
  const reads: string[] = [];
  disk.before = (at, path) => {
    if (at === 'read') reads.push(path);
  };
  const turns: (() => void)[] = [];
  const application = new Files(options, {
    disk,
    turns: new ReadTurns((turn) => turns.push(turn)),
    now: () => 2_000_000,
    boundary: () => 'B',
  });
  return {
    disk,
    reads,
    get: async (path: string, room = 1_000_000) => {
      const exchange = new MemoryExchange({ path });
      Object.assign(exchange, { writableBytes: room });
      await application.serve(exchange);
      return exchange.response().bytes.length;
    },
    /** Runs what waits for the next turn; false if nothing does. */
    turn: async () => {
      const [next] = turns.splice(0, 1);
      next?.();
      await nextTurn();
      return next !== undefined;
    },
  };
}

const large = Buffer.alloc(1_000_000, 'x');

test('responses with large files read in turns, a piece each, up to a limit in each turn', async (t) => {
  const { reads, get, turn } = thread({ '/root/a': large, '/root/b': large, '/root/c': large });
  const sent = Promise.all(['/a', '/b', '/c'].map((path) => get(path)));
  await nextTurn();
  t.deepEqual(reads.splice(0), ['/root/a', '/root/b', '/root/c', '/root/a']);
  await turn();
  t.deepEqual(reads.splice(0), ['/root/b', '/root/c', '/root/a', '/root/b']);
  while (await turn()) t.true(reads.splice(0).length <= PIECES);
  t.deepEqual(await sent, [large.length, large.length, large.length]);
});

test('a small file does not wait for the turn of the large ones', async (t) => {
  const { get, turn } = thread({ '/root/large': large, '/root/small': Buffer.from('small') });
  const sent = get('/large');
  await nextTurn();
  t.is(await get('/small'), 5);
  while (await turn());
  t.is(await sent, large.length);
});

test('for a peer without buffer space one piece of 4,096 bytes waits, and no more is read', async (t) => {
  const { disk, get, turn } = thread({ '/root/large': large });
  const sent = get('/large', 0);
  while (await turn());
  t.is(await sent, large.length);
  t.is(disk.largestRead, 4_096);
});

test('for a peer with little buffer space a piece is only as large as that space', async (t) => {
  const { disk, get, turn } = thread({ '/root/large': large });
  const sent = get('/large', 10_000);
  while (await turn());
  t.is(await sent, large.length);
  t.is(disk.largestRead, 10_000);
});
