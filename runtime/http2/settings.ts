/**
 * SETTINGS (RFC 9113 section 6.5): the server's as sent and as in force, and the peer's as received.
 *
 * An announcement binds the peer only once the peer has acknowledged it. So each announcement waits in a
 * queue with the time when it was sent, and is applied when its ACK arrives.
 */
import { ErrorCode } from './errors.ts';
import { initialMaxFrameBytes, initialWindowBytes, maxInt31 } from './frames.ts';

export const SettingId = {
  HeaderTableSize: 0x1,
  EnablePush: 0x2,
  MaxConcurrentStreams: 0x3,
  InitialWindowSize: 0x4,
  MaxFrameSize: 0x5,
  MaxHeaderListSize: 0x6,
  /** RFC 8441 section 3. */
  EnableConnectProtocol: 0x8,
  /** RFC 9218 section 2.1. */
  NoRfc7540Priorities: 0x9,
} as const;

/** The server's settings that may change during the life of a connection. */
export interface LocalSettings {
  readonly headerTableBytes: number;
  readonly maxConcurrentStreams: number;
  readonly streamWindowBytes: number;
  readonly maxFrameBytes: number;
  readonly maxFieldListBytes: number;
}

/** What binds a peer that has acknowledged nothing (6.5.2). */
export const initialLocalSettings: LocalSettings = Object.freeze({
  headerTableBytes: 4096,
  maxConcurrentStreams: maxInt31,
  streamWindowBytes: initialWindowBytes,
  maxFrameBytes: initialMaxFrameBytes,
  maxFieldListBytes: maxInt31,
});

const localIds: { readonly [K in keyof LocalSettings]: number } = {
  headerTableBytes: SettingId.HeaderTableSize,
  maxConcurrentStreams: SettingId.MaxConcurrentStreams,
  streamWindowBytes: SettingId.InitialWindowSize,
  maxFrameBytes: SettingId.MaxFrameSize,
  maxFieldListBytes: SettingId.MaxHeaderListSize,
};

interface Announcement {
  readonly settings: LocalSettings;
  readonly sentAtMs: number;
}

export class SettingsInFlight {
  #sent: LocalSettings = initialLocalSettings;
  #waiting: Announcement[] = [];
  /** What the peer has acknowledged. */
  inForce: LocalSettings = initialLocalSettings;

  /** @returns what differs from the previous announcement, as id, value, id, value… */
  announce(settings: LocalSettings, nowMs: number): number[] {
    const entries: number[] = [];
    for (const name of Object.keys(localIds) as (keyof LocalSettings)[]) {
      if (settings[name] !== this.#sent[name]) entries.push(localIds[name], settings[name]);
    }
    this.#sent = settings;
    this.#waiting.push({ settings, sentAtMs: nowMs });
    return entries;
  }

  /**
   * The peer has sent an ACK: announcements come into force in the order in which they were sent.
   * @returns when the announcement was sent; -1: there was none
   */
  acknowledge(): number {
    const announcement = this.#waiting.shift();
    if (announcement === undefined) return -1;
    this.inForce = announcement.settings;
    return announcement.sentAtMs;
  }

  /** The latest announcement. */
  get sent(): LocalSettings {
    return this.#sent;
  }

  /** When the oldest unacknowledged announcement was sent; -1: all are acknowledged. */
  get waitingSinceMs(): number {
    return this.#waiting.length === 0 ? -1 : this.#waiting[0].sentAtMs;
  }
}

/** The peer's settings. */
export class PeerSettings {
  initialWindowBytes = initialWindowBytes;
  /** For streams that the server opens. */
  maxConcurrentStreams: number = maxInt31;
  enablePush = true;

  /**
   * Takes one setting. The caller must pass HEADER_TABLE_SIZE on.
   * @returns the connection error that its value causes, or NoError
   */
  take(id: number, value: number): number {
    switch (id) {
      case SettingId.EnablePush:
        if (value > 1) return ErrorCode.ProtocolError;
        this.enablePush = value === 1;
        return ErrorCode.NoError;
      case SettingId.MaxConcurrentStreams:
        this.maxConcurrentStreams = value;
        return ErrorCode.NoError;
      case SettingId.EnableConnectProtocol:
      case SettingId.NoRfc7540Priorities:
        return value > 1 ? ErrorCode.ProtocolError : ErrorCode.NoError;
      case SettingId.InitialWindowSize:
        if (value > maxInt31) return ErrorCode.FlowControlError;
        this.initialWindowBytes = value;
        return ErrorCode.NoError;
      case SettingId.MaxFrameSize:
        // Checked and not kept: the server sends no frame longer than every peer must accept.
        return value < initialMaxFrameBytes || value > 0xff_ffff
          ? ErrorCode.ProtocolError
          : ErrorCode.NoError;
      default:
        // Unknown settings are ignored (6.5.2).
        return ErrorCode.NoError;
    }
  }
}
