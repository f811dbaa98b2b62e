/**
 * What the two sides say to each other apart from the data path: the boot data of a thread, and the two
 * interfaces that Comlink carries over the control port. Types only.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ActorBoot } from './actors/boot.ts';
import type { ChannelTransfer } from './channel.ts';
import type { ErrorReport } from './error-report.ts';

/** Handed to a thread as its one Piscina task. */
export interface ThreadBoot {
  readonly channel: ChannelTransfer;
  readonly control: MessagePort;
  /** See profile-words.ts. */
  readonly profile: SharedArrayBuffer;
  readonly host: HostOptions;
  /** What it is called in logs and figures. */
  readonly thread: string;
  /** Absent: the configuration has no actors. */
  readonly actors?: ActorBoot;
}

export interface HostOptions {
  /** URL of the application's module, or of the one with the pool's actors. */
  readonly application: string;
  /** The module has actors and no application. */
  readonly hasOnlyActors?: boolean;
  /** For an application of our own, which its module's `create` makes of them: JSON. */
  readonly applicationOptions?: unknown;
  readonly pool: string;
  /** Which files are loaded is told (`ThreadReports.loaded`). */
  readonly watch?: boolean;
  /** What the module exports; undefined: to be seen by its shape. */
  readonly kind?: 'exchange' | 'generator' | 'handler' | 'node' | 'server' | 'fetch';
  /** The export that is the application; undefined: the default one, or the only one that looks like it. */
  readonly export?: string;
  /** Of several servers that the module tells to listen, the port of the application; undefined: there is one. */
  readonly port?: number;
  /** Ports of servers of the module that really listen, in one thread at a time; undefined: none. */
  readonly binds?: readonly number[];
  /** What becomes of features that the application's shape cannot carry. */
  readonly downgrade?: DowngradeSettings;
  /** Both sides of every exchange are held against the interface's rules. */
  readonly validate?: boolean;
  /** What the application answers before it is ready. */
  readonly warmUp?: readonly WarmUpRequest[];
  /** How long an application's `stop` may take; default: for ever. */
  readonly stopTimeoutMs?: number;
  /** Field of requests that carries their identifiers; absent: they have none. */
  readonly requestIdField?: string;
  /** Characters of an error's message, and of its stack, that are reported; default `DEFAULT_MAX_ERROR_CHARS`. */
  readonly maxErrorChars?: number;
  /** Bytes that the application has printed and the reactor not yet taken, for each stream; default: any number. */
  readonly maxWaitingPrintBytes?: number;
  /** Requests get spans; absent: they do not. */
  readonly tracing?: Pick<TracingSettings, 'maxUnsent'>;
  /** What the application prints becomes lines of the log; absent: it crosses as it is. */
  readonly prints?: PrintSettings;
  /** Body bytes that may be on their way to an application that reads, per exchange. */
  readonly requestWindowBytes: number;
  /**
   * Body bytes that an application has consumed from which a thread that is busy says so. The peer can only send more when it has
   * heard, so it is less than any window on the way.
   */
  readonly creditEveryBytes: number;
  /** Body bytes that an application may have sent and the peer not yet taken, per exchange. */
  readonly responseWindowBytes: number;
  /** Bytes that `write` keeps for an application that does not wait for it, per exchange; beyond it, an error. */
  readonly writeBacklogBytes: number;
}

/** Without content. */
export interface WarmUpRequest {
  readonly method: string;
  readonly path: string;
  readonly host: string;
}

/** Of docs/sgi.md, rule 12.7. */
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

/** How a thread's one task ended, when it ended by itself. */
export type ThreadOutcome =
  | { readonly ended: 'drained' }
  | { readonly ended: 'load-failed'; readonly error: ErrorReport };

/** What the reactor asks of a thread. */
export interface ThreadControl {
  /** End at once, by an exit of its own. Heard from the beginning, and the only thing that is before the thread is ready. */
  leave(): void;
  /** Finish the exchanges it has, then end. */
  drain(): void;
  /** The server begins to stop: exchanges that have no end of their own should come to one. More may still come. */
  announceDrain(): void;
  stats(): ThreadStats;
  /**
   * Stops the thread while it looks at its whole heap, then sends it through the port, a piece (`Uint8Array`) at a time: the next when
   * the port has answered with anything. Behind the last it says how long the thread stood still, in milliseconds. A port that closes
   * without that has lost the rest.
   */
  sendHeapSnapshot(port: MessagePort): Promise<void>;
}

export interface TracingSettings {
  readonly pool: string;
  readonly thread: string;
  readonly maxUnsent: number;
}

/** How prints are written where they are lines of the log. */
export interface PrintSettings {
  /** What is printed as a JSON object stays that object. */
  readonly keepsObjects: boolean;
  /** Names of members whose values are left out. */
  readonly redact: readonly string[];
}

export type PrintStream = 'stdout' | 'stderr';

/** What a thread tells the reactor. */
export interface ThreadReports {
  /** It runs, has said its `threadId` (`Vitals`), and is going to load the application. */
  began(): void;
  /** It has stopped, and would end now. Resolves when nobody wants anything of it any more. */
  ending(): Promise<void>;
  /** It has loaded, or tried to load, these files for the application: absolute paths. */
  loaded(files: readonly string[]): void;
  /** The application is loaded: exchanges may come. `keepAliveTimeoutMs` is what it has given its server; null: it has given nothing. */
  ready(keepAliveTimeoutMs: number | null): void;
  /** The application's `stop` failed, or did not come to its end. */
  stopFailed(failure: ErrorReport): void;
  /** So many of the application's writes to standard output or standard error were dropped, as too much waited already. */
  printsDropped(stream: PrintStream, writes: number): void;
  /** An application threw, or left its exchange unfinished. `suppressed` counts the ones not told since the last. */
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
  /** Exchanges that have something to send and credit for it, while reactor and thread both sleep. Above 0 is a fault of the server. */
  readonly stalledExchanges: number;
  /** Bytes of this thread's own heap in use. */
  readonly heapUsedBytes: number;
}
