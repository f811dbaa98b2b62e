/**
 * What the two sides say to each other apart from the data path: the boot data of a thread, and the two
 * interfaces that Comlink carries over the control port. Types only.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ChannelTransfer } from './channel.ts';

/** Handed to a thread as its one Piscina task. */
export interface ThreadBoot {
  readonly channel: ChannelTransfer;
  readonly control: MessagePort;
  readonly host: HostOptions;
}

export interface HostOptions {
  /** URL of the application's module. */
  readonly application: string;
  /** For an application of our own, which its module's `create` makes of them: JSON. */
  readonly applicationOptions?: unknown;
  readonly pool: string;
  /** Body bytes that may be on their way to an application that reads, per exchange. */
  readonly requestWindowBytes: number;
  /** Body bytes that an application may have sent and the peer not yet taken, per exchange. */
  readonly responseWindowBytes: number;
  /** Bytes that `write` keeps for an application that does not wait for it, per exchange; beyond it, an error. */
  readonly writeBacklogBytes: number;
}

/** How a thread's one task ended, when it ended by itself. */
export type ThreadOutcome =
  | { readonly ended: 'drained' }
  | { readonly ended: 'load-failed'; readonly error: ErrorReport };

/** What the reactor asks of a thread. */
export interface ThreadControl {
  /** Finish the exchanges it has, then end. */
  drain(): void;
  /** The server begins to stop: exchanges that have no end of their own should come to one. More may still come. */
  announceDrain(): void;
  stats(): ThreadStats;
}

/** What a thread tells the reactor. */
export interface ThreadReports {
  /** The application is loaded: exchanges may come. */
  ready(): void;
  /** An application threw, or left its exchange unfinished. `suppressed` counts the ones not told since the last. */
  applicationError(failure: ErrorReport, method: string, path: string, suppressed: number): void;
}

export interface ErrorReport {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: string;
}

export interface ThreadStats {
  readonly openExchanges: number;
  readonly startedExchanges: number;
  readonly failedExchanges: number;
  /** Bytes of this thread's own heap in use. */
  readonly heapUsedBytes: number;
}
