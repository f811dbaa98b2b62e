/** What the fast part of the tests leaves out: what needs seconds, or the machine for itself, and differs little between versions of Node. */
const SLOW: readonly string[] = [
  'apps/hash.test.ts',
  'apps/live.test.ts',
  'apps/notify/',
  'apps/png.test.ts',
  'apps/render.test.ts',
  'apps/thumbnail.test.ts',
  'attack/',
  'browser/',
  'cli/command.test.ts',
  'clients/',
  'config/json-source.test.ts',
  'config/schema.test.ts',
  'deadlines/',
  'docs/',
  // Where a call breaks off at the end of the stack differs between builds of V8; on 22.20 /end has failed once.
  'faults/end-of-stack.test.ts',
  'faults/loading.test.ts',
  'faults/queue.test.ts',
  'faults/recall.test.ts',
  'faults/resets.test.ts',
  'faults/stalled.test.ts',
  'faults/threads.test.ts',
  'fuzz/',
  'gallery/',
  'http1/deadlines.test.ts',
  'http1/persistence.test.ts',
  'http2/long-way.test.ts',
  'http2/hpack/',
  'http2/properties.test.ts',
  'package/',
  'pools/pool.test.ts',
  'runner/',
  'runtime/exchange-model.test.ts',
  'static/stalled.test.ts',
  'tls/clients.test.ts',
  'tls/sessions.test.ts',
  'websocket/faults.test.ts',
  'websocket/flow.test.ts',
  'wire/codec-without-native.test.ts',
  'wire/interleavings.test.ts',
  'wire/stress.test.ts',
];

/** @param file below `test/`. */
export function isSlow(file: string): boolean {
  return SLOW.some((start) => file.startsWith(start));
}
