/**
 * Whole HTTP/2 connections to a live server. The expected output comes from two engines of our own that read
 * the same bytes: the application of one answers at once, that of the other when everything has been read.
 * The server's threads answer somewhere in between. Where the two agree, the server must do the same, however
 * the bytes are split.
 */
import { createHash } from 'node:crypto';
import { trailersOf } from '../../runtime/connections/trailer-fields.ts';
import type { Http2Options } from '../../runtime/http2/options.ts';
import type { Http2Stream } from '../../runtime/http2/stream.ts';
import { settings, windowUpdate } from '../http2/frames.ts';
import { Peer } from '../http2/peer.ts';
import { Http2Client } from './http2-client.ts';
import { http2Conversation } from './http2-input.ts';
import { LiveServer, sendPieces } from './live.ts';
import { Cut, cut } from './mutation.ts';
import type { Random } from './random.ts';
import { Finding, type Target } from './target.ts';

/** These end whatever is being read: the largest frame's payload, then the header of a larger frame. */
const END_OF_ALL = Buffer.alloc(16_384 + 9, 0xff);
/** This many consecutive reads take longer than a hundred other cases. */
const MOST_SINGLE_BYTES = 400;

interface Expected {
  /** The connection error; -1: there is none. */
  readonly failure: number;
  /** The responses, by stream, as the application writes them. */
  readonly answers: ReadonlyMap<number, string>;
  /** Streams whose response has been sent completely. */
  readonly complete: ReadonlySet<number>;
}

export async function openHttp2(): Promise<Target> {
  const server = await LiveServer.start();
  return { run: (random) => runCase(random, server), close: () => server.close() };
}

async function runCase(random: Random, server: LiveServer): Promise<void> {
  const tag = random.next();
  let requests = 0;
  const pieces = http2Conversation(random, () => `/${tag}-${++requests}`);
  // Requests must not wait for a window, unless a broken frame swallows this as well.
  const input = Buffer.concat([...pieces, settings(4, 65_535), windowUpdate(0, 1_000_000)]);
  const how = random.pick(
    input.length <= MOST_SINGLE_BYTES ? [Cut.Whole, Cut.Bytes, Cut.Random] : [Cut.Whole, Cut.Random],
  );
  const soon = expected(server.http2, input, 'at once');
  const late = expected(server.http2, input, 'at the end');
  const client = new Http2Client(await server.connect(random.chance(25) ? 'tls' : 'tcp', 'h2'));
  await sendPieces(client.socket, cut(random, input, how));
  if (random.chance(10)) client.socket.destroy();
  else if (soon.failure === late.failure) await judge(server, client, soon, late, input);
  if (!client.isClosed) client.socket.write(END_OF_ALL);
  await server.until(`the connection's end (sent ${how})`, input, () => client.isClosed);
  await server.requireRest(input);
}

async function judge(
  server: LiveServer,
  client: Http2Client,
  soon: Expected,
  late: Expected,
  input: Buffer,
): Promise<void> {
  const { failure } = soon;
  if (failure === -1) {
    for (const [id, content] of soon.answers) {
      if (late.answers.get(id) !== content || !soon.complete.has(id) || !late.complete.has(id)) continue;
      await server.until(`the answer on stream ${id}`, input, () => client.responses.get(id)?.ended === true);
    }
  } else {
    await server.until(`connection error ${failure}`, input, () => client.isClosed);
    // If the connection is closed with unread bytes, TCP may drop the GOAWAY.
    if (client.goawayCode > 0 && client.goawayCode !== failure) {
      throw new Finding(`GOAWAY says ${client.goawayCode}, and ${failure} it should be`, input);
    }
  }
  if (client.fault !== null) throw new Finding(client.fault, input);
  for (const [id, { status, content, ended }] of client.responses) {
    if (status !== 200 || !ended) continue;
    const wanted = [soon.answers.get(id), late.answers.get(id)];
    if (wanted.includes(content) || (content === '' && wanted.some((text) => text?.startsWith('HEAD '))))
      continue;
    throw new Finding(`stream ${id} was answered ${content}`, input);
  }
}

function expected(options: Http2Options, input: Buffer, when: 'at once' | 'at the end'): Expected {
  const waiting: Http2Stream[] = [];
  const closed = new Set<number>();
  const complete = new Set<number>();
  const answers = new Map<number, string>();
  const trailers = new Map<number, number>();
  const answer = (stream: Http2Stream): void => {
    const { method, path, id } = stream;
    const hash = createHash('sha1').update(Buffer.concat(peer.content.get(id) ?? []));
    const content = Buffer.from(`${method} ${path} ${hash.digest('hex')} ${trailers.get(id) ?? 0}`);
    // In the form in which the client shows bytes.
    answers.set(id, content.toString('latin1'));
    peer.engine.consume(stream, stream.unconsumedBytes, peer.nowMs);
    peer.engine.respond(stream, 200, [], false);
    // A response is complete or missing: with a closed window it is missing.
    peer.engine.write(stream, content, 0, content.length, true);
  };
  const onWhole = (stream: Http2Stream): void => {
    if (when === 'at once') answer(stream);
    else waiting.push(stream);
  };
  const peer: Peer = new Peer(options, {
    onRequest: (stream, endStream) => {
      if (endStream) onWhole(stream);
    },
    onData: (stream, _bytes, _start, _end, endStream) => {
      if (endStream) onWhole(stream);
      else peer.engine.consume(stream, stream.unconsumedBytes, peer.nowMs);
    },
    onTrailers: (stream, fields) => {
      trailers.set(stream.id, trailersOf(fields).length / 2);
      onWhole(stream);
    },
    onClose: (stream, by) => {
      closed.add(stream.id);
      if (by === 'complete') complete.add(stream.id);
    },
  });
  peer.send(input);
  for (const stream of waiting) if (!closed.has(stream.id)) answer(stream);
  peer.take();
  const failure = peer.engine.failure?.code ?? -1;
  peer.engine.closed();
  return { failure, answers, complete };
}
