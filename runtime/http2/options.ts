/**
 * Every limit of the engine, with its default and the reason for it. One frozen object serves all connections
 * of a listener.
 */
import { EngineOptionError } from './errors.ts';
import { initialMaxFrameBytes, initialWindowBytes, maxInt31 } from './frames.ts';

/** The whole memory is searched for every frame on a closed stream. */
export const maxClosedStreamMemory = 65_536;

/** How much of something a peer may do at once (`burst`) and in the long run (`perSecond`). */
export interface BudgetLimit {
  readonly burst: number;
  readonly perSecond: number;
}

/**
 * One budget for each way to cause useless work. Beyond it the connection ends with ENHANCE_YOUR_CALM.
 * budgets.ts says what honest work earns for each budget in addition to its rate.
 */
export interface BudgetLimits {
  /**
   * RST_STREAM from the peer on streams it opened (rapid reset, CVE-2023-44487). Default 500 at once, 100/s:
   * a browser that leaves a page with 100 images sends 100 in one packet. A completed stream earns an eighth.
   */
  readonly peerResets: BudgetLimit;
  /**
   * Streams that the server had to reset because of what the peer sent (CVE-2025-8671, "MadeYouReset").
   * Default 100, 10/s.
   */
  readonly provokedResets: BudgetLimit;
  /**
   * Streams refused over maxConcurrentStreams. Default 1000, 100/s: a client may open many before it has seen
   * the server's SETTINGS.
   */
  readonly refusedStreams: BudgetLimit;
  /**
   * Requests whose head or trailers exceed maxFieldListBytes or maxFieldLines (an HPACK bomb, RFC 7541
   * section 7.3). Each must be decoded in full. Default 100, 10/s.
   */
  readonly refusedHeads: BudgetLimit;
  /**
   * SETTINGS frames, each of which must be acknowledged (CVE-2019-9515). Default 64, 4/s; 64 DATA frames that
   * the server sends earn one.
   */
  readonly settings: BudgetLimit;
  /**
   * PING frames, each of which must be answered (CVE-2019-9512). Default 128, 10/s. Every request, and every
   * head and DATA frame that the server sends, earn one: gRPC probes the bandwidth with a PING per round trip
   * while it is being served, and Go sends one with a cancellation.
   */
  readonly pings: BudgetLimit;
  /**
   * PRIORITY, GOAWAY and unknown frames, which require no action (CVE-2019-9513). Default 1000, 200/s; a
   * request earns two.
   */
  readonly ignoredFrames: BudgetLimit;
  /**
   * Frames on closed streams, which may just have crossed with what closed them (RFC 9113 section 5.1).
   * Default 1000, 200/s. A stream that the peer did not reset earns two, because a client may still cancel it
   * or end its own side. Not counted are updates for no more than streams were sent, and content for windows
   * that were open when the server reset a stream. More content counts an eighth per frame.
   */
  readonly lateFrames: BudgetLimit;
  /**
   * DATA frames that carry neither content nor END_STREAM (CVE-2019-9518). Default 100, 10/s; a frame with
   * content earns one.
   */
  readonly emptyData: BudgetLimit;
  /**
   * WINDOW_UPDATEs below `tinyWindowUpdateBytes`, which cut a response into crumbs (CVE-2019-9511). Default
   * 1000, 100/s. Every KiB of DATA that the server sends earns four. So does a shorter frame that ended
   * because its data did and not because the window did. A request earns two. So HAProxy may acknowledge a
   * frame in pieces, and any client every small message, on the stream and on the connection.
   */
  readonly tinyWindowUpdates: BudgetLimit;
  /**
   * Seconds, summed over streams, in which data waits for a window that the peer keeps shut (CVE-2019-9517).
   * Default 7680 (128 streams for a minute) and 4/s: four paused downloads may wait for ever. A stream gets
   * its charge back when it takes 240 bytes for each second.
   */
  readonly stalledStreamSeconds: BudgetLimit;
}

export type BudgetName = keyof BudgetLimits;

export interface Http2Options {
  /** SETTINGS_MAX_CONCURRENT_STREAMS. A stream beyond it is refused with REFUSED_STREAM. Default 128. */
  readonly maxConcurrentStreams: number;
  /**
   * Pushed responses (RFC 9113 section 8.4) that may be open at once; the peer may allow fewer. Default 100.
   * 0: none is promised.
   */
  readonly maxConcurrentPushes: number;
  /**
   * SETTINGS_INITIAL_WINDOW_SIZE: request bytes that one stream may have unconsumed at first. Default 128
   * KiB.
   */
  readonly streamWindowBytes: number;
  /**
   * What a stream's window may grow to while the application keeps up with the peer. Default 4 MiB: 40 MB/s
   * over a round trip of 100 ms. If it is no larger than streamWindowBytes, the window never grows.
   */
  readonly maxStreamWindowBytes: number;
  /**
   * Request bytes that all streams of a connection together may have unconsumed, whatever their windows grow
   * to. Windows grow only by what maxConcurrentStreams × streamWindowBytes leave of it, so uploads that no
   * application reads cannot use up the room of others. Default 32 MiB: 16 MiB for those 128 × 128 KiB, and
   * as much again for four uploads at full size.
   */
  readonly connectionWindowBytes: number;
  /**
   * SETTINGS_MAX_FRAME_SIZE. Default 16384, the smallest allowed value: large frames only delay other
   * streams.
   */
  readonly maxFrameBytes: number;
  /** SETTINGS_HEADER_TABLE_SIZE: what the peer may keep in the server's HPACK decoder. Default 4096. */
  readonly headerTableBytes: number;
  /** The most that the server keeps in its HPACK encoder, whatever the peer offers. Default 4096. */
  readonly encoderTableBytes: number;
  /**
   * SETTINGS_MAX_HEADER_LIST_SIZE: names + values + 32 for each line (RFC 9113 section 6.5.2). Default 32
   * KiB. A larger request is answered 431.
   */
  readonly maxFieldListBytes: number;
  /**
   * Most field lines of one message, including pseudo-fields. Default 128. A request with more is answered
   * 431.
   */
  readonly maxFieldLines: number;
  /**
   * Most encoded bytes of one field block over all its frames; beyond it ENHANCE_YOUR_CALM. Default 64 KiB.
   */
  readonly maxFieldBlockBytes: number;
  /**
   * Most CONTINUATION frames of one field block; beyond it ENHANCE_YOUR_CALM (CVE-2024-27316). Default 16.
   */
  readonly maxContinuationFrames: number;
  /** Accept extended CONNECT (RFC 8441) and announce it in SETTINGS. Default false. */
  readonly enableConnectProtocol: boolean;
  /**
   * When the socket has not taken this much output, DATA waits in the streams' queues. Default 256 KiB. While
   * the socket takes everything that it is given, a quarter more may leave at once, up to three quarters of
   * maxUnsentBytes.
   */
  readonly outputLimitBytes: number;
  /**
   * When the socket has not taken this much output, the connection ends. It limits what a peer that never
   * reads can make the server send: answers to PINGs and SETTINGS, and refusals of requests. Responses do not
   * add to it. From half-way between outputLimitBytes and this limit on, heads and trailers wait with their
   * streams, and hints are left out. Must exceed outputLimitBytes. Default 1 MiB.
   */
  readonly maxUnsentBytes: number;
  /**
   * Recently reset streams that are remembered. For a frame on one of them the engine knows whether it may
   * still have been on its way (5.1); for older ones it assumes the best. Default 256, and never less than 2
   * × maxConcurrentStreams.
   */
  readonly closedStreamMemory: number;
  /** How long the peer may take to acknowledge SETTINGS; then SETTINGS_TIMEOUT. Default 10 s. */
  readonly settingsTimeoutMs: number;
  /**
   * After an error response that is complete before its request, the reset waits at most this long for the
   * peer to have read the response. 0: the reset is sent at once. Default 1 s.
   */
  readonly resetDelayMs: number;
  /** WINDOW_UPDATE increments below this are tiny. Default 64. */
  readonly tinyWindowUpdateBytes: number;
  readonly budgets: BudgetLimits;
}

export const defaultHttp2Options: Http2Options = Object.freeze({
  maxConcurrentStreams: 128,
  maxConcurrentPushes: 100,
  streamWindowBytes: 131_072,
  maxStreamWindowBytes: 4_194_304,
  connectionWindowBytes: 33_554_432,
  maxFrameBytes: initialMaxFrameBytes,
  headerTableBytes: 4096,
  encoderTableBytes: 4096,
  maxFieldListBytes: 32_768,
  maxFieldLines: 128,
  maxFieldBlockBytes: 65_536,
  maxContinuationFrames: 16,
  enableConnectProtocol: false,
  outputLimitBytes: 262_144,
  maxUnsentBytes: 1_048_576,
  closedStreamMemory: 256,
  settingsTimeoutMs: 10_000,
  resetDelayMs: 1_000,
  tinyWindowUpdateBytes: 64,
  budgets: Object.freeze({
    peerResets: { burst: 500, perSecond: 100 },
    provokedResets: { burst: 100, perSecond: 10 },
    refusedStreams: { burst: 1000, perSecond: 100 },
    refusedHeads: { burst: 100, perSecond: 10 },
    settings: { burst: 64, perSecond: 4 },
    pings: { burst: 128, perSecond: 10 },
    ignoredFrames: { burst: 1000, perSecond: 200 },
    lateFrames: { burst: 1000, perSecond: 200 },
    emptyData: { burst: 100, perSecond: 10 },
    tinyWindowUpdates: { burst: 1000, perSecond: 100 },
    stalledStreamSeconds: { burst: 7680, perSecond: 4 },
  }),
});

/** What may be overridden: any option, and single budgets. */
export type Http2Overrides = Partial<Omit<Http2Options, 'budgets'>> & {
  readonly budgets?: Partial<BudgetLimits>;
};

type NumericOption = {
  [K in keyof Http2Options]: Http2Options[K] extends number ? K : never;
}[keyof Http2Options];

/** The smallest and largest value of each number. */
const ranges: { readonly [K in NumericOption]: readonly [number, number] } = {
  maxConcurrentStreams: [1, maxInt31],
  maxConcurrentPushes: [0, maxInt31],
  streamWindowBytes: [1, maxInt31],
  maxStreamWindowBytes: [1, maxInt31],
  // A connection's window can be raised from its initial value, but not lowered (RFC 9113 section 6.9.2).
  connectionWindowBytes: [initialWindowBytes, maxInt31],
  maxFrameBytes: [initialMaxFrameBytes, 0xff_ffff],
  headerTableBytes: [0, maxInt31],
  encoderTableBytes: [0, maxInt31],
  maxFieldListBytes: [128, maxInt31],
  maxFieldLines: [4, maxInt31],
  maxFieldBlockBytes: [128, maxInt31],
  maxContinuationFrames: [0, maxInt31],
  outputLimitBytes: [1, maxInt31],
  maxUnsentBytes: [1, maxInt31],
  closedStreamMemory: [1, maxClosedStreamMemory],
  settingsTimeoutMs: [1, maxInt31],
  resetDelayMs: [0, maxInt31],
  tinyWindowUpdateBytes: [0, maxInt31],
};

/**
 * The options of a listener's connections: the defaults with these overrides, validated once.
 * @throws EngineOptionError
 */
export function http2Options(overrides: Http2Overrides = {}): Http2Options {
  const options: Http2Options = Object.freeze({
    ...defaultHttp2Options,
    ...overrides,
    budgets: Object.freeze({ ...defaultHttp2Options.budgets, ...overrides.budgets }),
  });
  for (const name of Object.keys(ranges) as NumericOption[]) {
    const [least, greatest] = ranges[name];
    const value = options[name];
    if (!Number.isInteger(value) || value < least || value > greatest) {
      throw new EngineOptionError(name, `an integer from ${least} to ${greatest}`, value);
    }
  }
  if (options.maxUnsentBytes <= options.outputLimitBytes) {
    const expected = `more than outputLimitBytes, ${options.outputLimitBytes}`;
    throw new EngineOptionError('maxUnsentBytes', expected, options.maxUnsentBytes);
  }
  for (const [name, limit] of Object.entries(options.budgets)) {
    if (!(limit.burst > 0))
      throw new EngineOptionError(`budgets.${name}.burst`, 'a number above 0', limit.burst);
    if (!(limit.perSecond >= 0)) {
      throw new EngineOptionError(`budgets.${name}.perSecond`, 'a number of 0 or more', limit.perSecond);
    }
  }
  return options;
}
