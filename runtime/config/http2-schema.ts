/** The `http2` section: what this server announces in SETTINGS and the budgets that bound what a peer may cost. */

import { section, wholeNumber } from './fields.ts';

/** RFC 9113 section 6.9.1: no window exceeds this. */
const maxWindowBytes = 2 ** 31 - 1;

/** A budget refills by rate, so it bounds abuse and not the age of a connection. */
function budget(what: string, burst: number, perSecond: number) {
  const size = { from: 1, to: 1_000_000 };
  return section(`${what} Beyond it the connection ends with ENHANCE_YOUR_CALM.`, {
    burst: wholeNumber('How many may come at once.', { ...size, byDefault: burst }),
    perSecond: wholeNumber('How many are allowed again each second.', { ...size, byDefault: perSecond }),
  });
}

export const http2Section = section('HTTP/2 (RFC 9113): announced settings and bounds per connection.', {
  maxConcurrentStreams: wholeNumber(
    'SETTINGS_MAX_CONCURRENT_STREAMS: requests open at once on a connection; more are refused with REFUSED_STREAM.',
    { from: 1, to: 65_536, byDefault: 128 },
  ),
  initialWindowBytes: wholeNumber(
    'SETTINGS_INITIAL_WINDOW_SIZE: request body bytes a peer may send on a stream before the application has read any.',
    { from: 1_024, to: maxWindowBytes, byDefault: 262_144 },
  ),
  connectionWindowBytes: wholeNumber(
    'Request body bytes a peer may have in flight on all streams of a connection together.',
    { from: 65_535, to: maxWindowBytes, byDefault: 8_388_608 },
  ),
  maxFrameBytes: wholeNumber('SETTINGS_MAX_FRAME_SIZE: the largest frame payload accepted.', {
    from: 16_384,
    to: 16_777_215,
    byDefault: 16_384,
  }),
  maxHeaderListBytes: wholeNumber(
    'SETTINGS_MAX_HEADER_LIST_SIZE: decoded header fields of a request (name, value and 32 for each); more is answered 431.',
    { from: 1_024, to: 16_777_216, byDefault: 65_536 },
  ),
  headerTableBytes: wholeNumber(
    'SETTINGS_HEADER_TABLE_SIZE: memory for the HPACK table of received fields.',
    {
      from: 0,
      to: 1_048_576,
      byDefault: 4_096,
    },
  ),
  outputLimitBytes: wholeNumber(
    'Bytes that wait for the socket before response data of this connection waits with its application.',
    { from: 16_384, to: 1_073_741_824, byDefault: 1_048_576 },
  ),
  budgets: section('What a peer may do by rate, for each connection.', {
    resets: budget('Streams that the peer resets.', 200, 50),
    settings: budget('SETTINGS frames.', 20, 2),
    pings: budget('PING frames.', 20, 5),
    emptyData: budget('DATA frames without content that do not end a stream.', 100, 50),
  }),
});
