/**
 * The registered extensions (docs/sgi.md, section 11): rich objects beside the interface, each with the parts of the exchange that it
 * bypasses. Published as `sluice/extensions`.
 */
import { clockMicroseconds, microsecondsBetween } from '../wire/clock.ts';
import type { Exchange, ExtensionKey, FieldsInit, TlsConnection, Tunnel } from './gateway.ts';

/** When an exchange arrived, and how long it waited. */
export interface Timing {
  /** When the request's head had arrived, in milliseconds of Unix time. */
  readonly receivedAtMs: number;
  /** When the application's function was called. */
  readonly startedAtMs: number;
  /** The time between the two: in the queue, in the ring and in the thread. */
  readonly queuedMs: number;
}
export const timing: ExtensionKey<Timing> = { name: 'timing', bypasses: [] };

/** The connection's own TLS, whatever a middleware has changed in `request`. */
export interface TlsFacts {
  readonly connection: TlsConnection | null;
}
export const tlsFacts: ExtensionKey<TlsFacts> = { name: 'tlsFacts', bypasses: ['request'] };

/** The server's own tunnel; offered only if the request asks for a tunnel. */
export interface RawTunnel {
  accept(fields?: FieldsInit): Tunnel;
}
export const rawTunnel: ExtensionKey<RawTunnel> = {
  name: 'rawTunnel',
  bypasses: ['response-head', 'response-body'],
};

export interface FileSending {
  /**
   * Answers with a file. Content type, validators, ranges and conditions are handled as for static files. The thread reads the file
   * synchronously, one piece at a time, so a slow disk delays this thread and no other.
   * @param path absolute, or relative to the process's directory
   * @throws GatewayError `SLUICE_FILE_NOT_FOUND` if there is no readable file at the path; nothing was sent
   */
  send(path: string, fields?: FieldsInit): Promise<void>;
}
export const fileSending: ExtensionKey<FileSending> = {
  name: 'fileSending',
  bypasses: ['response-head', 'response-body'],
};

/** What a host knows about its own exchanges. */
interface Hosted extends Exchange {
  readonly receivedAtUs: number;
  readonly startedAtUs: number;
}

/** The host's implementation of `extension`: the object for a key. */
export function offered<T>(key: ExtensionKey<T>, exchange: Hosted): T | null {
  switch (key as ExtensionKey<unknown>) {
    case timing:
      return timingOf(exchange) as T;
    case tlsFacts:
      return { connection: exchange.request.tls } satisfies TlsFacts as T;
    case rawTunnel:
      return exchange.capabilities.tunnel
        ? ({ accept: (fields) => exchange.accept(fields) } satisfies RawTunnel as T)
        : null;
    case fileSending:
      return { send: (path, fields) => sendFile(exchange, path, fields) } satisfies FileSending as T;
    default:
      return null;
  }
}

function timingOf({ receivedAtUs, startedAtUs }: Hosted): Timing {
  const nowMs = performance.now();
  const startedAgoUs = microsecondsBetween(startedAtUs, clockMicroseconds(nowMs));
  const queuedUs = microsecondsBetween(receivedAtUs, startedAtUs);
  const startedAtMs = performance.timeOrigin + nowMs - startedAgoUs / 1000;
  return { receivedAtMs: startedAtMs - queuedUs / 1000, startedAtMs, queuedMs: queuedUs / 1000 };
}

async function sendFile(exchange: Exchange, path: string, fields?: FieldsInit): Promise<void> {
  const { sendFile } = await import('./static/one-file.ts');
  await sendFile(exchange, path, fields);
}
