/** One message to a thousand WebSockets, over topics on two threads. */
import { startClient } from '../clients/background.ts';
import {
  type BenchContext,
  type Comparison,
  inRounds,
  type Scenario,
  type ScenarioResult,
} from '../comparison.ts';
import { type Server, sluice, wsRoom } from '../contenders.ts';
import { HELLO, ROOM_MESSAGE_BYTES } from '../content.ts';
import { assertAnswer } from '../probe.ts';

const SOCKETS = 1_000;
/** Messages that are in flight to all of them at a time. */
const AT_ONCE = 4;
const METRICS = ['single', 'single CPU', 'plain', 'plain CPU', 'deflated', 'deflated CPU'] as const;

export const topics: Scenario = { name: 'topics', title: 'One message to a thousand WebSockets', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const ws = wsRoom();
  const ours = sluice({
    name: 'Sluice, 2 threads',
    directory: context.directory,
    options: { topics: {} },
    pools: {
      room: {
        application: 'room.ts',
        threads: 2,
        paths: ['/*'],
        options: { exchangesPerThread: 2_048 },
        route: { websocket: true },
      },
    },
  });
  const samples = await inRounds(context, [ws, ours], METRICS, (server, { name }) =>
    measure(server, name, context.isQuick),
  );
  const of = (
    title: string,
    unit: string,
    metric: (typeof METRICS)[number],
    bound: 'at least' | 'at most' | null,
    limit: number,
  ): Comparison => ({
    title,
    unit,
    baseline: ws.name,
    samples: samples[metric],
    ...(bound !== null && { targets: [{ contender: ours.name, of: 'ratio', bound, limit }] }),
  });
  const { plain, deflated } = ROOM_MESSAGE_BYTES;
  return {
    method:
      `${SOCKETS.toLocaleString('en')} WebSockets over HTTP/1.1 from one client process, which counts frames; ${AT_ONCE} messages, or one, are in flight to ` +
      `all of them at a time. One thread publishes the messages, and each thread sends one frame to all of its sockets; frames for a socket in one turn leave in one piece. ws runs on one ` +
      `thread of node:http and sends to its clients in turn. Plain: text of ${plain} bytes. Deflated: text of ${deflated} bytes with ` +
      "permessage-deflate at zlib's default level and without context from message to message, on both. CPU is user + system time of the server's process group.",
    comparisons: [
      of(`deliveries per second, ${plain} bytes, one message at a time`, 'messages/s', 'single', null, 0),
      of(`CPU per delivery, ${plain} bytes, one message at a time`, 'µs', 'single CPU', null, 0),
      of(`deliveries per second, ${plain} bytes`, 'messages/s', 'plain', 'at least', 0.9),
      of(`CPU per delivery, ${plain} bytes`, 'µs', 'plain CPU', null, 0),
      of(`deliveries per second, ${deflated} bytes deflated`, 'messages/s', 'deflated', 'at least', 1.5),
      of(`CPU per delivery, ${deflated} bytes deflated`, 'µs', 'deflated CPU', null, 0),
    ],
  };
}

async function measure(server: Server, name: string, isQuick: boolean) {
  await assertAnswer(server.origin, '/hello', HELLO, name, 'http/1.1');
  const single = await measureRoom(server, 'plain', 1, isQuick);
  const plain = await measureRoom(server, 'plain', AT_ONCE, isQuick);
  const deflated = await measureRoom(server, 'deflated', AT_ONCE, isQuick);
  return {
    single: single.perSecond,
    'single CPU': single.cpuMicroseconds,
    plain: plain.perSecond,
    'plain CPU': plain.cpuMicroseconds,
    deflated: deflated.perSecond,
    'deflated CPU': deflated.cpuMicroseconds,
  };
}

async function measureRoom({ port, program }: Server, room: string, atOnce: number, isQuick: boolean) {
  const args = [port, room, SOCKETS, atOnce, isQuick ? 1_500 : 4_000, program.pid];
  const client = await startClient('room.ts', args, 'told', 60_000);
  await client.program.stop();
  const [messages = 0, ms = 0, cpu = 0] = client.report.split(' ').map(Number);
  return { perSecond: messages / (ms / 1_000), cpuMicroseconds: cpu / messages };
}
