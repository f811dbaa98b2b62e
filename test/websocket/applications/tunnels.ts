/** Tunnels by CONNECT, whose first label of the authority says what they do. */
import type { Exchange, Tunnel } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

const behaviours: {
  readonly [label: string]: (tunnel: Tunnel, signals: Signals, exchange: Exchange) => Promise<void>;
} = {
  /** Sends back what comes, and ends when the peer has. */
  echo: async (tunnel) => {
    for await (const piece of tunnel.read) await tunnel.write(piece);
    tunnel.end();
  },
  /** Ends first, and goes on reading. */
  'ends-first': async (tunnel, signals) => {
    await tunnel.write(Buffer.from('that is all'));
    tunnel.end();
    let count = 0;
    for await (const piece of tunnel.read) count += piece.length;
    signals.tell(`read ${count}`);
  },
  /** Ends first, and reads when it is told to. */
  'ends-and-waits': async (tunnel, signals) => {
    const word = signals.until('read');
    tunnel.end();
    signals.tell('ended');
    await word;
    let count = 0;
    for await (const piece of tunnel.read) count += piece.length;
    signals.tell(`read ${count}`);
  },
  reset: async (tunnel) => {
    await tunnel.write(Buffer.from('half a'));
    tunnel.reset(0xa);
  },
  /** Leaves the scope of a tunnel that has not ended, and of one that has. */
  scoped: async (tunnel) => {
    await tunnel.write(Buffer.from('half a'));
    // What `await using` calls, which Node 22 cannot read yet.
    await tunnel[Symbol.asyncDispose]();
  },
  'scoped-end': async (tunnel) => {
    await tunnel.write(Buffer.from('whole'));
    tunnel.end();
    await tunnel[Symbol.asyncDispose]();
  },
  /** Forgets to end. */
  forgets: async () => {},
  /** Neither reads nor writes. */
  waits: async (_tunnel, _signals, exchange) => {
    await exchange.closed;
  },
};

export default async function tunnels(exchange: Exchange): Promise<void> {
  const { authority, fields } = exchange.request;
  const behaviour = behaviours[authority.slice(0, authority.indexOf('.'))];
  if (behaviour === undefined) return exchange.respond(403, {}, `no way to ${authority}\n`);
  const signals = new Signals(fields.get(SIGNALS_FIELD) ?? 'nobody');
  const tunnel = exchange.accept({ 'x-to': authority });
  signals.tell('accepted');
  try {
    await behaviour(tunnel, signals, exchange);
  } finally {
    void exchange.closed.then(({ by, how, code }) => {
      signals.tell(`exchange ${how} by ${by} code ${code}`);
      setImmediate(() => signals.close());
    });
  }
}
