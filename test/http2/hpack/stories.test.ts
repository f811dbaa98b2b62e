import { once } from 'node:events';
import type {
  ClientHttp2Session,
  OutgoingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2';
import test from 'ava';
import { HpackDecoder } from '../../../runtime/http2/hpack/decoder.ts';
import { HpackEncoder } from '../../../runtime/http2/hpack/encoder.ts';
import { decodeBlock, encodeFields, encodeResponse, ROOMY } from './coding.ts';
import { nodeClient, nodeServer, type RawPeer } from './nghttp2-peer.ts';
import { type StoryExchange, stories } from './stories.ts';

/** Table sizes that each side announces while a story runs: before this message, this many bytes. */
const TABLE_CHANGES = new Map([
  [5, 300],
  [10, 0],
  [15, 4096],
  [25, 120],
  [30, 4096],
]);

/** How `node:http2` wants fields: an object, with a list where a name repeats. */
function headersOf(fields: readonly string[]): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = {};
  for (let i = 0; i < fields.length; i += 2) {
    const before = headers[fields[i]];
    headers[fields[i]] = before === undefined ? fields[i + 1] : [before, fields[i + 1]].flat();
  }
  return headers;
}

/** The fields that an event of `node:http2` carries as they came. */
async function rawFields(emitter: NodeJS.EventEmitter, event: string, argument: number): Promise<string[]> {
  return (await once(emitter, event))[argument];
}

/** Both sides announce another table size, and both have acknowledged it when this returns. */
async function changeTables(
  bytes: number,
  session: ClientHttp2Session | ServerHttp2Session,
  raw: RawPeer,
  decoder: HpackDecoder,
  encoder: HpackEncoder,
): Promise<void> {
  await raw.setTableBytes(bytes);
  decoder.setMaxTableBytes(bytes);
  await new Promise<void>((resolve) => session.settings({ headerTableSize: bytes }, () => resolve()));
  encoder.setPeerMaxTableBytes(raw.peerTableBytes);
}

function answer(stream: ServerHttp2Stream, exchange: StoryExchange): void {
  const headers = { ':status': exchange.status, ...headersOf(exchange.response) };
  const { trailers } = exchange;
  // The types leave `sendDate` out; without it `node:http2` adds a date of its own.
  const options = { sendDate: false, waitForTrailers: trailers !== undefined };
  stream.respond(headers, options);
  if (trailers !== undefined) stream.on('wantTrailers', () => stream.sendTrailers(headersOf(trailers)));
  stream.end();
}

for (const story of stories) {
  test(`the encoder and the decoder agree on ${story.name}`, (t) => {
    for (const capacityBytes of [4096, 200, 0]) {
      const requests = {
        encoder: new HpackEncoder({ maxTableBytes: 4096 }),
        decoder: new HpackDecoder(ROOMY),
      };
      const responses = {
        encoder: new HpackEncoder({ maxTableBytes: 4096 }),
        decoder: new HpackDecoder(ROOMY),
      };
      for (const { encoder, decoder } of [requests, responses]) {
        encoder.setPeerMaxTableBytes(capacityBytes);
        decoder.setMaxTableBytes(capacityBytes);
      }
      for (const { request, response, status, trailers } of story.exchanges) {
        t.deepEqual(decodeBlock(requests.decoder, encodeFields(requests.encoder, request)), request);
        t.deepEqual(decodeBlock(responses.decoder, encodeResponse(responses.encoder, status, response)), [
          ...[':status', String(status), ...response],
        ]);
        if (trailers === undefined) continue;
        t.deepEqual(decodeBlock(responses.decoder, encodeFields(responses.encoder, trailers)), trailers);
      }
    }
  });

  test(`Sluice and a node:http2 client read each other, whatever the table sizes: ${story.name}`, async (t) => {
    const { client, raw } = await nodeClient();
    t.teardown(() => raw[Symbol.asyncDispose]());
    const decoder = new HpackDecoder(ROOMY);
    const encoder = new HpackEncoder({ maxTableBytes: 4096 });
    for (const [i, { request, response, status, trailers }] of story.exchanges.entries()) {
      const bytes = TABLE_CHANGES.get(i);
      if (bytes !== undefined) await changeTables(bytes, client, raw, decoder, encoder);

      const stream = client.request(headersOf(request), { endStream: true });
      const { streamId, block } = await raw.block();
      t.deepEqual(decodeBlock(decoder, block), request);

      const received = rawFields(stream, 'response', 2);
      // Not the end of the stream: nghttp2 would compare content-length with a body that we do not send.
      raw.sendBlock(streamId, encodeResponse(encoder, status, response), false);
      t.deepEqual(await received, [':status', String(status), ...response]);
      if (trailers !== undefined) {
        const receivedTrailers = rawFields(stream, 'trailers', 2);
        raw.sendBlock(streamId, encodeFields(encoder, trailers), true);
        t.deepEqual(await receivedTrailers, trailers);
      }
    }
  });

  test(`Sluice and a node:http2 server read each other, whatever the table sizes: ${story.name}`, async (t) => {
    const { session, raw } = await nodeServer();
    t.teardown(() => raw[Symbol.asyncDispose]());
    const decoder = new HpackDecoder(ROOMY);
    const encoder = new HpackEncoder({ maxTableBytes: 4096 });
    for (const [i, exchange] of story.exchanges.entries()) {
      const bytes = TABLE_CHANGES.get(i);
      if (bytes !== undefined) await changeTables(bytes, session, raw, decoder, encoder);

      session.once('stream', (stream) => answer(stream, exchange));
      const received = rawFields(session, 'stream', 3);
      raw.sendBlock(i * 2 + 1, encodeFields(encoder, exchange.request), true);
      t.deepEqual(await received, exchange.request);

      const status = [':status', String(exchange.status)];
      t.deepEqual(decodeBlock(decoder, (await raw.block()).block), [...status, ...exchange.response]);
      if (exchange.trailers !== undefined) {
        t.deepEqual(decodeBlock(decoder, (await raw.block()).block), exchange.trailers);
      }
    }
  });
}
