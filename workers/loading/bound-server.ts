/**
 * A server beside the application that really listens, such as an exporter's of metrics. Its port is given to whichever thread takes it
 * first; the others ask again now and then, so that another has it soon after that thread has ended. To the module each
 * looks as if it listened.
 */
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';

const RETRY_MS = 1_000;

interface Bound {
  close(): void;
}

/** @param listen as it is without us; a server of HTTP that is told to listen never does */
export function bindWhenFree(
  server: NodeJS.EventEmitter,
  address: ListenOptions,
  listen: Server['listen'],
): Bound {
  let timer: NodeJS.Timeout | null = null;
  // What it accepts is served as if the module's own server had: with its listeners, its limits and its TLS.
  const carrier = createServer({ allowHalfOpen: true }, (socket: Socket) =>
    server.emit('connection', socket),
  );
  const bind = () => void Reflect.apply(listen, carrier, [address]);
  carrier.unref();
  carrier.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') timer = setTimeout(bind, RETRY_MS).unref();
    else {
      process.emitWarning(`the port ${address.port} cannot be listened on: ${error.message}`, {
        code: 'SLUICE_PORT_NOT_BOUND',
      });
    }
  });
  bind();
  return {
    close() {
      if (timer !== null) clearTimeout(timer);
      if (carrier.listening) carrier.close();
      (server as { closeIdleConnections?(): void }).closeIdleConnections?.();
    },
  };
}
