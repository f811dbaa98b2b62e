/** Applications for HTTP/1 connections, by path: each shows one thing that the protocol says of a response or a body. */
import type { Exchange, GatewayError } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

type Step = (exchange: Exchange, query: URLSearchParams, signals: Signals) => void | Promise<void>;

const steps: { readonly [path: string]: Step } = {
  '/hello': (exchange) => exchange.respond(200, {}, 'hello'),
  '/describe': async (exchange) => {
    const { method, scheme, authority, path, version, fields } = exchange.request;
    const body = await exchange.body.text();
    const trailers = [...(await exchange.trailers)];
    const request = { method, scheme, authority, path, version, fields: [...fields], body, trailers };
    exchange.respond(200, {}, JSON.stringify(request));
  },
  '/echo': async (exchange) => {
    exchange.respond(200);
    for await (const piece of exchange.body) await exchange.write(piece);
    exchange.end(await exchange.trailers);
  },
  /** Answers whole, and does not look at the request's body. */
  '/unread': (exchange) => exchange.respond(200, {}, 'unread'),
  /** Answers whole first, and reads then. */
  '/answer-first': async (exchange, _query, signals) => {
    exchange.respond(200, {}, 'answered');
    signals.tell(`read ${(await exchange.body.text(1 << 30)).length}`);
  },
  /** Waits for a word, then answers. */
  '/wait': async (exchange, query, signals) => {
    const id = query.get('id') ?? '';
    const word = signals.until(`go${id}`);
    signals.tell(`begun${id}`);
    await word;
    exchange.respond(200, {}, `waited${id}`);
  },
  /** As `/wait`, and wants the connection to end. */
  '/wait-and-close': async (exchange, query, signals) => {
    exchange.closeConnection();
    await steps['/wait']?.(exchange, query, signals);
  },
  /** Wants the connection to end when it is too late to say so. */
  '/close-late': async (exchange) => {
    exchange.respond(200);
    exchange.closeConnection();
    await exchange.write('late');
    exchange.end();
  },
  /** Waits for a word, then reads. */
  '/read-later': async (exchange, _query, signals) => {
    const word = signals.until('go');
    signals.tell('begun');
    await word;
    exchange.respond(200, {}, await exchange.body.text());
  },
  /** Reads nothing until it is cut off, and says by whom. */
  '/hold': async (exchange, _query, signals) => {
    signals.tell('begun');
    const { by, how, code } = await exchange.closed;
    signals.tell(`closed ${how} by ${by} code ${code}`);
  },
  /** Reads until it is cut off, and says by whom. */
  '/read': async (exchange, _query, signals) => {
    signals.tell('begun');
    try {
      for await (const piece of exchange.body) signals.tell(`read ${piece.length}`);
      exchange.respond(200, {}, 'read');
    } catch (error) {
      signals.tell((error as GatewayError).code);
      const { by, how, code } = await exchange.closed;
      signals.tell(`closed ${how} by ${by} code ${code}`);
    }
  },
  /** `?status=N`, several times. */
  '/inform': (exchange, query) => {
    for (const status of query.getAll('status')) exchange.inform(Number(status), { 'x-step': status });
    exchange.respond(200, {}, 'informed');
  },
  '/invite-twice': async (exchange) => {
    exchange.inform(100);
    exchange.respond(200, {}, await exchange.body.text());
  },
  '/status': (exchange, query) => {
    exchange.respond(Number(query.get('code')), { 'content-length': 4, trailer: 'x-sum' });
    exchange.end();
  },
  '/trailers': async (exchange, query) => {
    const length = query.get('length');
    exchange.respond(200, { trailer: 'x-sum', ...(length === null ? {} : { 'content-length': length }) });
    await exchange.write('body');
    exchange.end({ 'x-sum': '1' });
  },
  '/stream': async (exchange) => {
    exchange.respond(200);
    await exchange.write('one ');
    await exchange.write('two');
    exchange.end();
  },
  /** Begins a response, and says by whom it was cut off. */
  '/begin-and-hold': async (exchange, _query, signals) => {
    exchange.respond(200);
    await exchange.write('one ');
    signals.tell('begun');
    const { by, how, code } = await exchange.closed;
    signals.tell(`closed ${how} by ${by} code ${code}`);
  },
  /** Begins a response when told to, ends it when told to, and says how it ended. */
  '/begin-later': async (exchange, _query, signals) => {
    const [begin, end] = [signals.until('go'), signals.until('end')];
    signals.tell('begun');
    await begin;
    exchange.respond(200);
    void exchange.write('one ').catch(() => {});
    const { by, how, code } = await Promise.race([
      exchange.closed,
      end.then(() => ({ by: '', how: '', code: 0 })),
    ]);
    if (how !== '') return signals.tell(`closed ${how} by ${by} code ${code}`);
    await exchange.write('two');
    exchange.end();
  },
  /** Breaks off in the middle, when told to. */
  '/cut': async (exchange, _query, signals) => {
    const word = signals.until('go');
    exchange.respond(200);
    await exchange.write('one ');
    signals.tell('begun');
    await word;
    exchange.reset();
  },
  '/attachment': async (exchange) => {
    exchange.respond(200, {
      'content-length': 2,
      'content-disposition': 'attachment; filename="h\u00e9.txt"',
    });
    await exchange.write('ok');
    exchange.end();
  },
  '/attachment-later': async (exchange, _query, signals) => {
    const word = signals.until('go');
    exchange.respond(200, { 'x-name': 'h\u00e9', trailer: 'x-last' });
    await word;
    await exchange.write('ok');
    exchange.end({ 'x-last': '\u00e9' });
  },
};

export default async function run(exchange: Exchange): Promise<void> {
  const { path, fields } = exchange.request;
  const url = new URL(path, 'http://test.invalid');
  const step = steps[url.pathname];
  if (step === undefined) return exchange.respond(404, {}, 'no such step');
  const signals = new Signals(fields.get(SIGNALS_FIELD) ?? '');
  void exchange.closed.then(() => setImmediate(() => signals.close()));
  await step(exchange, url.searchParams, signals);
}
