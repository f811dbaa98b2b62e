/**
 * The response's grammar (section 2 of docs/sgi.md) as a table: state and call to the next state, or to the
 * rule that forbids the call. A promised response has the same grammar without pushes and tunnels.
 */

export type State = 'idle' | 'started' | 'tunnel' | 'ended';
export type Call = 'inform' | 'respond' | 'respond whole' | 'accept' | 'write' | 'end' | 'push';

type Row = { readonly [call in Call]: State | { readonly rule: string } };

const forbidden = (rule: string) => ({ rule });

export const ORDER: { readonly [state in State]: Row } = {
  idle: {
    inform: 'idle',
    respond: 'started',
    'respond whole': 'ended',
    accept: 'tunnel',
    write: forbidden('2.3'),
    end: forbidden('2.3'),
    push: 'idle',
  },
  started: {
    inform: forbidden('2.1'),
    respond: forbidden('2.2'),
    'respond whole': forbidden('2.2'),
    accept: forbidden('2.2'),
    write: 'started',
    end: 'ended',
    push: 'started',
  },
  tunnel: {
    inform: forbidden('2.1'),
    respond: forbidden('2.2'),
    'respond whole': forbidden('2.2'),
    accept: forbidden('2.2'),
    write: forbidden('9.1'),
    end: forbidden('9.1'),
    push: forbidden('9.1'),
  },
  ended: {
    inform: forbidden('2.1'),
    respond: forbidden('2.2'),
    'respond whole': forbidden('2.2'),
    accept: forbidden('2.2'),
    write: forbidden('2.3'),
    end: forbidden('2.3'),
    push: forbidden('2.4'),
  },
};
