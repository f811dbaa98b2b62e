/**
 * What reactor and thread exchange apart from the data path: the boot data of a thread, and the two
 * interfaces that Comlink carries over the control port. Types only.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ActorBoot } from './actors/boot.ts';
import type { ChannelTransfer } from './channel.ts';
import type { ErrorReport } from './error-report.ts';

/** Passed to a thread as its one Piscina task. */
export interface ThreadBoot {
  readonly channel: ChannelTransfer;
  readonly control: MessagePort;
  /** See profile-words.ts. */
  readonly profile: SharedArrayBuffer;
  readonly host: HostOptions;
  /** The thread's name in logs and metrics. */
  readonly thread: string;
  /** Absent if the configuration has no actors. */
  readonly actors?: ActorBoot;
}

export interface HostOptions {
  /** URL of the application's module, or of the module with the pool's actors. */
  readonly application: string;
  /** The module has actors and no application. */
  readonly hasOnlyActors?: boolean;
  /** JSON options for an application of Sluice itself, whose module exports `create`. */
  readonly applicationOptions?: unknown;
  readonly pool: string;
  /** The thread reports which files it loads (`ThreadReports.loaded`). */
  readonly watch?: boolean;
  /** What the module exports; undefined: the thread recognises it by its shape. */
  readonly kind?: 'exchange' | 'generator' | 'handler' | 'node' | 'server' | 'fetch';
  /**
   * The export that is the application; undefined: the default export, or the only one that looks like an
   * application.
   */
  readonly export?: string;
  /**
   * The application's port, if the module calls `listen` on several servers; undefined: there is one server.
   */
  readonly port?: number;
  /** Ports that servers of the module really open, in one thread at a time; undefined: none. */
  readonly binds?: readonly number[];
  /** What to do with features that the application's face cannot carry. */
  readonly downgrade?: DowngradeSettings;
  /** Check both sides of every exchange against the rules of the interface. */
  readonly validate?: boolean;
  /** Requests that the application answers before the thread is ready. */
  readonly warmUp?: readonly WarmUpRequest[];
  /** How long an application's `stop` may take; default: without limit. */
  readonly stopTimeoutMs?: number;
  /** The request field that carries the request's identifier; absent: requests have none. */
  readonly requestIdField?: string;
  /**
   * Characters that are reported of an error's message, and of its stack; default `DEFAULT_MAX_ERROR_CHARS`.
   */
  readonly maxErrorChars?: number;
  /**
   * For each stream, bytes that the application has printed and the reactor has not yet taken; default:
   * without limit.
   */
  readonly maxWaitingPrintBytes?: number;
  /** Requests get spans; absent: they do not. */
  readonly tracing?: Pick<TracingSettings, 'maxUnsent'>;
  /** Turns what the application prints into lines of the log; absent: it is passed on unchanged. */
  readonly prints?: PrintSettings;
  /** Body bytes that may be on their way to an application that reads, per exchange. */
  readonly requestWindowBytes: number;
  /**
   * A busy thread reports consumption once an application has consumed this many body bytes. The peer can
   * send more only after that report, so the value is less than any window on the way.
   */
  readonly creditEveryBytes: number;
  /** Body bytes that an application may have sent and the peer not yet taken, per exchange. */
  readonly responseWindowBytes: number;
  /**
   * Bytes that `write` buffers for an application that does not wait for it, per exchange. Beyond that,
   * `write` throws.
   */
  readonly writeBacklogBytes: number;
}

/** A request without content. */
export interface WarmUpRequest {
  readonly method: string;
  readonly path: string;
  readonly host: string;
}

/** Rule 12.7 of docs/sgi.md. */
export interface DowngradeSettings {
  readonly push: 'preload' | 'drop' | 'refuse';
  readonly trailers: 'drop' | 'refuse';
  readonly informational: 'drop' | 'refuse';
  readonly streaming: 'buffer' | 'refuse';
  readonly reset: 'close' | 'refuse';
  readonly linkPreload: 'pass' | 'push';
  readonly associatedContent: 'push' | 'pass';
  readonly maxPushesPerHead: number;
}

/** How a thread's one task ended, if it ended by itself. */
export type ThreadOutcome =
  | { readonly ended: 'drained' }
  | { readonly ended: 'load-failed'; readonly error: ErrorReport };

/** What the reactor asks of a thread. */
export interface ThreadControl {
  /**
   * End at once, by the thread's own exit. The thread handles this from the beginning; it handles nothing
   * else before it is ready.
   */
  leave(): void;
  /** Finish the open exchanges, then end. */
  drain(): void;
  /**
   * The server begins to stop: exchanges that would not end by themselves should end. New ones may still
   * come.
   */
  announceDrain(): void;
  stats(): ThreadStats;
  /**
   * Stops the thread while V8 walks its whole heap, then sends the snapshot through the port, one piece
   * (`Uint8Array`) at a time. The next piece follows when the port has replied with any message. The last
   * message is the time in milliseconds that the thread was stopped. If the port closes before that message,
   * the rest is lost.
   */
  sendHeapSnapshot(port: MessagePort): Promise<void>;
}

export interface TracingSettings {
  readonly pool: string;
  readonly thread: string;
  readonly maxUnsent: number;
}

/** How an application's output is written when it becomes lines of the log. */
export interface PrintSettings {
  /** A printed JSON object stays that object. */
  readonly keepsObjects: boolean;
  /** Names of members whose values are left out. */
  readonly redact: readonly string[];
}

export type PrintStream = 'stdout' | 'stderr';

/** What a thread reports to the reactor. */
export interface ThreadReports {
  /** The thread runs, has written its `threadId` to the `Vitals`, and is about to load the application. */
  began(): void;
  /**
   * The thread begins this step of its start: `start` of an actor or of the application, or a warm-up request. Empty: it is over, and
   * the next step has no name.
   */
  reached(step: string): void;
  /** The thread has stopped and is about to end. Resolves when the thread is no longer needed. */
  ending(): Promise<void>;
  /** The thread has loaded, or tried to load, these files for the application: absolute paths. */
  loaded(files: readonly string[]): void;
  /**
   * The application is loaded: exchanges may come. `keepAliveTimeoutMs` is what the application has set on
   * its server; null if it has set nothing.
   */
  ready(keepAliveTimeoutMs: number | null): void;
  /** The application's `stop` failed or did not finish. */
  stopFailed(failure: ErrorReport): void;
  /**
   * The number of the application's writes to standard output or standard error that were dropped, because
   * too much output already waited.
   */
  printsDropped(stream: PrintStream, writes: number): void;
  /**
   * An application threw, or left its exchange unfinished. `suppressed` counts the errors that were not
   * reported since the last report.
   */
  applicationError(
    failure: ErrorReport,
    method: string,
    path: string,
    suppressed: number,
    requestId: string,
  ): void;
}

export interface ThreadStats {
  readonly openExchanges: number;
  readonly startedExchanges: number;
  readonly failedExchanges: number;
  /**
   * Exchanges that have something to send and credit for it, while reactor and thread both sleep. A value
   * above 0 is a bug in Sluice.
   */
  readonly stalledExchanges: number;
  /** Bytes in use of this thread's own heap. */
  readonly heapUsedBytes: number;
}
