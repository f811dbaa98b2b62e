import test from 'ava';
import type {
  Exchange,
  ExtensionKey,
  FieldsInit,
  PushedResponse,
  PushRequest,
} from '../../workers/gateway.ts';
import { compose, FieldList, WrappedExchange } from '../../workers/middleware/compose.ts';
import { MemoryExchange } from '../apps/memory-exchange.ts';

const pushed = {} as PushedResponse;

/** An exchange that can do everything, and records the calls it gets. */
class Able extends WrappedExchange {
  readonly calls: string[] = [];

  override get capabilities() {
    const { inner } = this;
    return { ...inner.capabilities, push: true, padding: true, informational: true };
  }
  override async push(): Promise<PushedResponse> {
    this.calls.push('push');
    return pushed;
  }
  override inform(): void {
    this.calls.push('inform');
  }
  override pad(): void {
    this.calls.push('pad');
  }
  override extension<T>(key: ExtensionKey<T>): T {
    return key.name as T;
  }
}

class Passing extends WrappedExchange {}
class ChangingHeads extends WrappedExchange {
  override respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    super.respond(status, new FieldList(fields).set('x-changed', 'yes'), body);
  }
}
class ChangingBodies extends WrappedExchange {
  override write(chunk: Uint8Array | string): Promise<void> {
    return super.write(chunk);
  }
}
class ChangingPushes extends ChangingHeads {
  override push(request: PushRequest): Promise<PushedResponse | null> {
    return super.push(request);
  }
}

/** One that replaces what its peer lacks, as adapters do. */
class Downgrading extends WrappedExchange {
  readonly calls: string[] = [];

  override get capabilities() {
    return { ...this.inner.capabilities, push: false, padding: false, informational: false, trailers: false };
  }
  override async push(): Promise<null> {
    this.calls.push('push');
    return null;
  }
  override inform(): void {
    this.calls.push('inform');
  }
  override pad(): void {
    this.calls.push('pad');
  }
  override end(trailers?: FieldsInit): void {
    this.calls.push(`end ${JSON.stringify(trailers)}`);
  }
}

const able = () => new Able(new MemoryExchange({ path: '/' }));

test('a layer that overrides nothing takes nothing away', async (t) => {
  const passing = new Passing(able());
  t.is(passing.capabilities, passing.capabilities);
  t.true(passing.capabilities.push);
  t.deepEqual(passing.withheld, []);
  t.is(await passing.push({ path: '/a' }), pushed);
});

for (const Layer of [ChangingHeads, ChangingBodies]) {
  test(`${Layer.name}: a pushed response would bypass it, so push is missing and the exchange says why`, async (t) => {
    const outer = able();
    const layer = new Layer(outer);
    t.false(layer.capabilities.push);
    t.deepEqual(layer.withheld, [
      { feature: 'push', why: `${Layer.name} changes responses, and pushed responses would bypass it` },
    ]);
    t.is(await layer.push({ path: '/a' }), null);
    t.deepEqual(outer.calls, []);
    t.throws(() => layer.require('push'), {
      code: 'SLUICE_FEATURE_WITHHELD',
      message: new RegExp(Layer.name),
    });
    t.notThrows(() => layer.require('informational', 'padding'));
  });
}

test('a layer that handles pushed responses keeps push', async (t) => {
  const layer = new ChangingPushes(able());
  t.true(layer.capabilities.push);
  t.is(await layer.push({ path: '/a' }), pushed);
});

test('what a layer withholds does nothing, and is reported once however many layers follow', (t) => {
  const outer = able();
  const takes = [
    { feature: 'informational', why: 'it says so' },
    { feature: 'padding', why: 'it says so' },
    // The wrapped exchange has none, so there is nothing to withhold.
    { feature: 'tunnel', why: 'it says so' },
  ] as const;
  const layer = new Passing(new Passing(outer, takes));
  layer.inform(103);
  layer.pad(64);
  t.deepEqual(outer.calls, []);
  t.deepEqual(layer.withheld, takes.slice(0, 2));
  t.throws(() => layer.accept(), { code: 'SLUICE_NOT_A_TUNNEL' });
});

test('an extension is hidden below a layer that changes what the extension bypasses, and below no other', (t) => {
  const key = (bypasses: ExtensionKey<string>['bypasses']): ExtensionKey<string> => ({ name: 'x', bypasses });
  const head = new ChangingHeads(able());
  const body = new ChangingBodies(able());
  t.is(head.extension(key(['response-head'])), null);
  t.is(head.extension(key(['request'])), 'x');
  t.is(body.extension(key(['response-body'])), null);
  t.is(body.extension(key(['response-head'])), 'x');
  t.is(body.extension(key([])), 'x');
  t.is(new Passing(body).extension(key(['response-body'])), null);
});

test('compose makes the first layer the outermost, and applies each once', async (t) => {
  const order: string[] = [];
  const named = (name: string) => (application: (exchange: Exchange) => void | Promise<void>) => {
    order.push(`made ${name}`);
    return (exchange: Exchange) => {
      order.push(name);
      return application(exchange);
    };
  };
  const application = compose(named('a'), named('b'))(() => void order.push('application'));
  for (let i = 0; i < 2; i++) await application(new MemoryExchange({ path: '/' }));
  t.deepEqual(order, ['made b', 'made a', 'a', 'b', 'application', 'a', 'b', 'application']);
  t.is(compose()(application), application);
});

test('what is missing above is requested above, where there may be a replacement', async (t) => {
  const outer = new Downgrading(new MemoryExchange({ path: '/' }));
  const layer = new ChangingPushes(outer);
  t.is(await layer.push({ path: '/a' }), null);
  layer.inform(103);
  layer.pad(16);
  layer.end({ 'x-sum': '1' });
  t.deepEqual(outer.calls, ['push', 'inform', 'pad', 'end {"x-sum":"1"}']);
});

test('what a layer withholds itself goes no further', async (t) => {
  const outer = new Downgrading(new MemoryExchange({ path: '/' }));
  const layer = new WrappedExchange(
    outer,
    (['push', 'informational', 'padding', 'trailers'] as const).map((feature) => ({
      feature,
      why: 'a test',
    })),
  );
  t.is(await layer.push({ path: '/a' }), null);
  layer.inform(103);
  layer.pad(16);
  layer.end({ 'x-sum': '1' });
  t.deepEqual(outer.calls, ['end undefined']);
});
