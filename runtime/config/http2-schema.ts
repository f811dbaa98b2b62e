/**
 * The `http2` section: the engine's own options, name by name, with the engine's own defaults.
 * `runtime/http2/options.ts` explains what each one protects against; a test holds names, defaults and bounds
 * together.
 */

import { type BudgetLimits, defaultHttp2Options as defaults } from '../http2/options.ts';
import { maxTimerMs } from './duration.ts';
import { section, wholeNumber } from './fields.ts';

/** RFC 9113 section 6.9.1: no window exceeds this. */
const maxWindowBytes = 2 ** 31 - 1;
const mebibyte = 1_048_576;

/** A budget refills by rate, so it bounds abuse and not the age of a connection. */
function budget(name: keyof BudgetLimits, what: string) {
  const { burst, perSecond } = defaults.budgets[name];
  return section(`${what} Beyond the budget the connection ends with ENHANCE_YOUR_CALM.`, {
    burst: wholeNumber('How many may come at once.', { from: 1, to: 1_000_000_000, byDefault: burst }),
    perSecond: wholeNumber('How many more each second.', {
      from: 0,
      to: 1_000_000_000,
      byDefault: perSecond,
    }),
  });
}

function option(
  name: Exclude<keyof typeof defaults, 'budgets' | 'enableConnectProtocol'>,
  description: string,
  from: number,
  to: number,
) {
  return wholeNumber(description, { from, to, byDefault: defaults[name] });
}

export const http2Section = section(
  'HTTP/2 (RFC 9113): what the server announces, and limits of each connection.',
  {
    maxConcurrentStreams: option(
      'maxConcurrentStreams',
      'SETTINGS_MAX_CONCURRENT_STREAMS: requests open at once; one more is refused with REFUSED_STREAM.',
      1,
      65_536,
    ),
    maxConcurrentPushes: option(
      'maxConcurrentPushes',
      'Promised responses (server push) open at once; the peer may allow fewer. 0: no push.',
      0,
      65_536,
    ),
    streamWindowBytes: option(
      'streamWindowBytes',
      'SETTINGS_INITIAL_WINDOW_SIZE: request body bytes of a stream that the application has not taken yet.',
      1,
      maxWindowBytes,
    ),
    maxStreamWindowBytes: option(
      'maxStreamWindowBytes',
      'How far streamWindowBytes grows while the application keeps up with the peer, as long as connectionWindowBytes has room beside maxConcurrentStreams × streamWindowBytes. If this is not more than streamWindowBytes, windows do not grow.',
      1,
      maxWindowBytes,
    ),
    connectionWindowBytes: option(
      'connectionWindowBytes',
      'Request body bytes of all streams of a connection together. If it is less than maxConcurrentStreams × streamWindowBytes, uploads that no application reads can block the others of their connection; a warning says so.',
      65_535,
      maxWindowBytes,
    ),
    maxFrameBytes: option(
      'maxFrameBytes',
      'SETTINGS_MAX_FRAME_SIZE: the largest frame payload accepted. Larger frames only delay other streams.',
      16_384,
      16_777_215,
    ),
    headerTableBytes: option(
      'headerTableBytes',
      'SETTINGS_HEADER_TABLE_SIZE: what the peer may keep in the HPACK decoder.',
      0,
      16 * mebibyte,
    ),
    encoderTableBytes: option(
      'encoderTableBytes',
      'The largest HPACK table of the encoder; it is smaller if the peer offers less.',
      0,
      16 * mebibyte,
    ),
    maxFieldListBytes: option(
      'maxFieldListBytes',
      "SETTINGS_MAX_HEADER_LIST_SIZE: bytes of a request's names and values, plus 32 for each line; more is answered 431. Every pool's ringBytes must have room for it.",
      1_024,
      mebibyte,
    ),
    maxFieldLines: option(
      'maxFieldLines',
      'Header lines of a request, pseudo-fields included; more is answered 431.',
      4,
      65_536,
    ),
    maxFieldBlockBytes: option(
      'maxFieldBlockBytes',
      'Encoded bytes of one header block over all its frames; more ends the connection.',
      1_024,
      16 * mebibyte,
    ),
    maxContinuationFrames: option(
      'maxContinuationFrames',
      'CONTINUATION frames of one header block; more end the connection.',
      0,
      65_536,
    ),
    outputLimitBytes: option(
      'outputLimitBytes',
      'When this much output waits for the socket, further response data waits in its streams. While the socket takes everything, one write may have a quarter more, up to three quarters of maxUnsentBytes.',
      1,
      512 * mebibyte,
    ),
    maxUnsentBytes: option(
      'maxUnsentBytes',
      'When this much output waits for the socket, the connection ends: it protects against peers that make the server respond and never read. From half-way between outputLimitBytes and this value, heads and trailers of responses wait, and pushes and interim responses other than 100 are left out. Must be more than outputLimitBytes.',
      2,
      1_024 * mebibyte,
    ),
    closedStreamMemory: option(
      'closedStreamMemory',
      'How many recently reset streams are remembered, to recognise frames that were sent before the peer learned of the reset. At least 2 × maxConcurrentStreams are.',
      1,
      65_536,
    ),
    settingsTimeoutMs: option(
      'settingsTimeoutMs',
      'The peer has this long to acknowledge SETTINGS; then the connection ends with SETTINGS_TIMEOUT.',
      1,
      maxTimerMs,
    ),
    resetDelayMs: option(
      'resetDelayMs',
      'If a response of 400 to 599 is complete before its request, the stream is reset with NO_ERROR when a PING shows that the peer has read the response, or after this long. 0: at once, but some clients that are still uploading then lose the response.',
      0,
      maxTimerMs,
    ),
    tinyWindowUpdateBytes: option(
      'tinyWindowUpdateBytes',
      'A WINDOW_UPDATE by less than this counts as tiny.',
      0,
      maxWindowBytes,
    ),
    budgets: section('How much work a peer may cause without useful requests, for each connection.', {
      peerResets: budget(
        'peerResets',
        'Streams that the peer resets (rapid reset); one that completes earns an eighth.',
      ),
      provokedResets: budget('provokedResets', 'Streams that the server had to reset because of the peer.'),
      refusedStreams: budget('refusedStreams', 'Streams refused beyond maxConcurrentStreams.'),
      refusedHeads: budget(
        'refusedHeads',
        'Requests and trailers over maxFieldListBytes or maxFieldLines (431).',
      ),
      settings: budget(
        'settings',
        'SETTINGS frames, each of which is answered; 64 DATA frames sent earn one.',
      ),
      pings: budget(
        'pings',
        'PING frames, each of which is answered; every DATA frame and every response head sent earn one.',
      ),
      ignoredFrames: budget('ignoredFrames', 'PRIORITY and unknown frames; a request earns two.'),
      lateFrames: budget(
        'lateFrames',
        'Frames on closed streams that the peer may have sent before it learned of the end; a stream that the peer did not reset earns two. Window updates for bytes that the stream was sent, and content within its window, do not count; a frame of further content counts an eighth.',
      ),
      emptyData: budget(
        'emptyData',
        'DATA frames without content that do not end a stream; one with content earns one.',
      ),
      tinyWindowUpdates: budget(
        'tinyWindowUpdates',
        'WINDOW_UPDATEs below tinyWindowUpdateBytes; every KiB sent earns four, a request two.',
      ),
      stalledStreamSeconds: budget(
        'stalledStreamSeconds',
        'Seconds, over all streams, that data waits at a window the peer keeps shut; a stream that takes 240 bytes gets one back.',
      ),
    }),
  },
);
