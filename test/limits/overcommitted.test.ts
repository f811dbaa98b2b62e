/** Stream windows that together exceed their connection's: the server runs, and warns of what can happen. */
import test from 'ava';
import { application, startServer } from '../server/harness.ts';

for (const [connectionWindowBytes, warnings] of [
  [8_388_608, 0],
  [8_388_607, 1],
] as const) {
  test(`64 streams of 131,072 bytes in ${connectionWindowBytes}: ${warnings} warnings in the log`, async (t) => {
    const { log } = await startServer(t, {
      pools: { messages: { application: application('server', 'messages'), threads: { min: 1, max: 1 } } },
      http2: { maxConcurrentStreams: 64, connectionWindowBytes },
    });
    const warned = log.lines.filter(({ code }) => code === 'SLUICE_CONFIG_OVERCOMMITTED');
    t.deepEqual(
      warned.map(({ level, where }) => [level, where]),
      warnings === 0 ? [] : [['warn', '$.http2.connectionWindowBytes']],
    );
  });
}
