/** The parts of an engine that a frame can affect; the receivers are built from them. */
import type { EngineCounters } from './counters.ts';
import type { EngineEvents } from './events.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { HpackDecoder } from './hpack/decoder.ts';
import type { HpackEncoder } from './hpack/encoder.ts';
import type { LateAllowance } from './late-allowance.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Http2Options } from './options.ts';
import type { Priorities } from './priorities.ts';
import type { Pusher } from './pusher.ts';
import type { ReceiveFlow } from './receive-flow.ts';
import type { RoundTrip } from './round-trip.ts';
import type { Sender } from './sender.ts';
import type { PeerSettings, SettingsInFlight } from './settings.ts';
import type { Streams } from './streams.ts';

export interface ReceiverParts {
  readonly events: EngineEvents;
  readonly options: Http2Options;
  readonly counters: EngineCounters;
  readonly writer: FrameWriter;
  readonly streams: Streams;
  readonly flow: ReceiveFlow;
  readonly roundTrip: RoundTrip;
  readonly lifecycle: Lifecycle;
  readonly allowance: LateAllowance;
  readonly sender: Sender;
  readonly settings: SettingsInFlight;
  readonly peer: PeerSettings;
  readonly pusher: Pusher;
  readonly priorities: Priorities;
  readonly decoder: HpackDecoder;
  readonly encoder: HpackEncoder;
}
