/** Opens all listeners of a configuration and logs how to reach them. */
import type { Config } from '../config/config.ts';
import type { ListenerConfig } from '../config/listeners.ts';
import type { Log } from '../logging/log.ts';
import type { ConnectionLimits } from '../server/limits.ts';
import type { Certificates } from '../tls/certificates.ts';
import type { Handshakes } from '../tls/handshakes.ts';
import type { BindAddress, Bound } from './bind.ts';
import { curlLines, originOf } from './curl-lines.ts';
import { Listener, type ListenerHandler } from './listener.ts';
import type { HostAddresses } from './names.ts';
import { passedSockets } from './socket-activation.ts';

/**
 * @param hosts addresses of the host names among the listeners' addresses
 * @param certificates null if no listener has TLS
 * @param handlerOf the handler of the listener with that index in the configuration
 * @param opened receives each listener as it opens, so that all can be closed if a later one fails
 * @throws ListenError
 */
export async function openListeners(
  config: Config,
  hosts: HostAddresses,
  certificates: Certificates | null,
  handlerOf: (index: number) => ListenerHandler,
  limits: ConnectionLimits,
  handshakes: Handshakes,
  log: Log,
  opened: Listener[],
): Promise<void> {
  const { maxHelloBytes } = config.limits.handshakes;
  for (const [index, listenerConfig] of config.listeners.entries()) {
    const terminator = certificates?.terminatorOf(index) ?? null;
    for (const target of targetsOf(listenerConfig, hosts)) {
      const listener = new Listener(handlerOf(index), {
        index,
        config: listenerConfig,
        tls: terminator === null ? null : { terminator, handshakes, maxHelloBytes },
        limits,
        headerTimeoutMs: config.limits.headerTimeoutMs,
      });
      opened.push(listener);
      announce(await listener.listen(target), listenerConfig, config, log);
    }
  }
}

function targetsOf({ address }: ListenerConfig, hosts: HostAddresses): readonly BindAddress[] {
  if (address.kind === 'tcp') return [{ ...address, ip: hosts.get(address.host) ?? address.host }];
  if (address.kind !== 'systemd') return [address];
  const fds = passedSockets(address, process.env, process.pid);
  return fds.map((fd) => ({ kind: 'fd', address: `${address.address} (fd:${fd})`, fd }));
}

function announce(bound: Bound, listener: ListenerConfig, { routes }: Config, log: Log): void {
  const address =
    bound.host !== null
      ? `${bound.host}:${bound.port}`
      : bound.path === ''
        ? listener.address.address
        : `unix:${bound.path}`;
  log.info({ address }, `listening on ${bound.host === null ? address : originOf(bound, listener.tls)}`);
  for (const line of curlLines(bound, listener, routes)) log.info(`try: ${line}`);
}
