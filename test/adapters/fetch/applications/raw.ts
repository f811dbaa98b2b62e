/** One Fetch handler, which each framework's application has mounted: what it does is asked for by the path. */
import { SIGNALS_FIELD, Signals } from '../../../server/signals.ts';

type Step = (request: Request, signals: Signals) => Response | Promise<Response>;

const encoder = new TextEncoder();
let pulls = 0;

/** Ways to give a field twice. */
export function repeated(how: string): HeadersInit {
  switch (how) {
    case 'spelled':
      return { 'Content-Type': 'text/html', 'content-type': 'text/plain' };
    case 'listed':
      return [
        ['access-control-allow-origin', 'https://one.example'],
        ['Access-Control-Allow-Origin', 'https://two.example'],
        ['vary', 'origin'],
        ['vary', 'accept'],
      ];
    case 'cookies':
      return [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ];
    default: {
      const once = new Map([
        ['etag', '"one"'],
        ['x-name', 'caf\xe9'],
      ]);
      return once.entries() as unknown as HeadersInit;
    }
  }
}

const steps: { readonly [path: string]: Step } = {
  '/echo': (request) =>
    new Response(request.body, { headers: { 'x-type': request.headers.get('content-type') ?? '' } }),
  '/json': async (request) => Response.json({ got: await request.json() }, { status: 201 }),
  '/form': async (request) => {
    const form = await request.formData();
    const file = form.get('file');
    return Response.json({
      name: form.get('name'),
      file: file instanceof File ? [file.name, await file.text()] : null,
    });
  },
  '/clone': async (request) => {
    const copy = request.clone();
    const [own, copied] = await Promise.all([request.text(), copy.arrayBuffer()]);
    return new Response(`${own.length} ${copied.byteLength} ${request.bodyUsed}`).clone();
  },
  '/twice': async (request) => {
    await request.text();
    return request.text().then(
      () => new Response('read twice'),
      (error: Error) => new Response(error.name),
    );
  },
  '/facts': (request) => {
    const { method, url, headers, bodyUsed, signal } = request;
    const names = [...headers.keys()];
    return Response.json({
      method,
      url,
      many: headers.get('x-many'),
      cookie: headers.get('cookie'),
      connection: names.filter((name) => name === 'connection' || name.startsWith(':')),
      bodyUsed,
      aborted: signal.aborted,
      body: request.body === null,
    });
  },
  '/globals': async (request) => {
    const again = new Request(request, { headers: new Headers(request.headers) });
    const answers = [
      request instanceof Request,
      again instanceof Request,
      request.headers instanceof Headers,
      new Response() instanceof Response,
      Response.json(1) instanceof Response,
      await again.text(),
    ];
    return Response.json(answers);
  },
  '/cookies': () => {
    const headers = new Headers({ 'x-one': '1' });
    headers.append('set-cookie', 'a=1');
    headers.append('set-cookie', 'b=2; Path=/');
    return new Response('ok', { headers });
  },
  '/repeated': (request) => new Response('x', { headers: repeated(request.headers.get('x-how') ?? '') }),
  '/redirect': (request) => Response.redirect(new URL('/elsewhere', request.url), 307),
  '/empty/204': () => new Response(null, { status: 204 }),
  '/empty/304': () => new Response(null, { status: 304, headers: { etag: '"one"' } }),
  '/length': () => new Response('12345', { headers: { 'content-length': '5' } }),
  '/pieces': () => {
    const stream = new ReadableStream<Uint8Array>({
      async start(controller) {
        for (const piece of ['one ', 'two ', 'three']) {
          controller.enqueue(encoder.encode(piece));
          await new Promise((resolve) => setImmediate(resolve));
        }
        controller.close();
      },
    });
    return new Response(stream);
  },
  /** 64 MiB, made when they are asked for. */
  '/pull': () => {
    pulls = 0;
    const piece = new Uint8Array(65_536);
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (++pulls > 1_024) controller.close();
          else controller.enqueue(piece);
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(stream);
  },
  '/pulls': () => new Response(String(pulls)),
  '/aborted': async (request, signals) => {
    signals.tell('waiting');
    await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
    signals.tell(`aborted ${request.signal.reason?.name}`);
    return new Response('nobody hears it');
  },
  '/cancelled': (_request, signals) => {
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(1_000));
        signals.tell('pulled');
      },
      cancel: () => signals.tell('cancelled'),
    });
    return new Response(stream);
  },
  '/throw': () => {
    throw new Error('thrown before the head');
  },
  '/throw-late': () => {
    let count = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (count++ > 0) throw new Error('thrown behind the head');
        controller.enqueue(encoder.encode('begun'));
      },
    });
    return new Response(stream);
  },
};

export function raw(request: Request): Response | Promise<Response> {
  const name = new URL(request.url).pathname.replace(/^\/(plain|hono|h3)(?=\/)/, '');
  const step = steps[name];
  if (step === undefined) return new Response('no such step', { status: 404 });
  const channel = request.headers.get(SIGNALS_FIELD);
  return step(request, new Signals(channel ?? 'nobody'));
}
