/** Values that make a report of themselves difficult. JavaScript lets an application throw, reject with and name as a cause any of them. */
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { MessageChannel } from 'node:worker_threads';

const refuse = (): never => {
  throw new Error('not to be looked at');
};

/** Every look at it fails. */
function untouchable(target: object): object {
  return new Proxy(target, {
    get: refuse,
    set: refuse,
    has: refuse,
    ownKeys: refuse,
    getPrototypeOf: refuse,
    getOwnPropertyDescriptor: refuse,
  });
}

function withGetter(key: string): Error {
  return Object.defineProperty(new Error('with a getter'), key, { get: refuse });
}

function nested(depth: number): unknown {
  let value: unknown = 'the end';
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

function causes(depth: number): Error {
  let error = new Error('the first');
  for (let i = 0; i < depth; i++) error = new Error(`because ${i}`, { cause: error });
  return error;
}

/** By name; each call makes a new one. */
export const thrownValues: { readonly [name: string]: () => unknown } = {
  null: () => null,
  undefined: () => undefined,
  zero: () => 0,
  string: () => 'a string',
  symbol: () => Symbol('a symbol'),
  bigint: () => 2n ** 64n,
  function: () => refuse,
  'null-prototype': () => Object.create(null),
  'string-that-throws': () => ({ toString: refuse, [Symbol.toPrimitive]: refuse }),
  'inspect-that-throws': () => ({ [inspect.custom]: refuse }),
  proxy: () => untouchable({}),
  'proxy-of-error': () => untouchable(new Error('under a proxy')),
  'revoked-proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  port: () => {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    return port1;
  },
  'shared-memory': () => new SharedArrayBuffer(8),
  'weak-map': () => new WeakMap(),
  nested: () => nested(5_000),
  'stack-getter': () => withGetter('stack'),
  'message-getter': () => withGetter('message'),
  'name-getter': () => withGetter('name'),
  'code-getter': () => withGetter('code'),
  'cause-getter': () => withGetter('cause'),
  'errors-getter': () => withGetter('errors'),
  'constructor-getter': () => withGetter('constructor'),
  'tag-getter': () => Object.defineProperty(new Error('tagged'), Symbol.toStringTag, { get: refuse }),
  'message-object': () => Object.assign(new Error(), { message: untouchable({}) }),
  'stack-number': () => Object.assign(new Error('numbered'), { stack: 7 }),
  'with-function': () => Object.assign(new Error('with a function'), { retry: refuse }),
  'with-port': () => Object.assign(new Error('with a port'), { port: new MessageChannel().port1.unref() }),
  'cause-null': () => new Error('outer', { cause: null }),
  'cause-untouchable': () => new Error('outer', { cause: untouchable({}) }),
  'cause-itself': () => {
    const error = new Error('its own cause');
    error.cause = error;
    return error;
  },
  'cause-string-that-throws': () => new Error('outer', { cause: { toString: refuse, message: 7 } }),
  'causes-many': () => causes(20_000),
  'errors-untouchable': () => Object.assign(new Error('several'), { errors: untouchable([]) }),
  'errors-of-all-kinds': () =>
    new AggregateError([null, untouchable({}), new Error('one of them')], 'several'),
  caused: () =>
    Object.assign(new TypeError('no answer', { cause: new RangeError('nobody there') }), {
      code: 'E_NO_ANSWER',
    }),
  long: () => new Error('m'.repeat(5_000_000), { cause: new Error('c'.repeat(5_000_000)) }),
  'another-realm': () => runInNewContext('new TypeError("of another realm")'),
  'dom-exception': () => new DOMException('of the web', 'AbortError'),
};
