/** Responses of another implementation, and one buffer for all answers. */
import { Response as Foreign } from 'undici';

/** Kept while the module is loaded, as clients and frameworks do. */
class Kept extends Request {
  get user(): string | null {
    return this.headers.get('x-user');
  }
}
const keptFetch = fetch;
const KeptRequest = Request;

async function askedByKept(request: Request): Promise<Response> {
  if (request.headers.has('x-inner')) return new Response(`${request.method} ${await request.text()}`);
  const inner = { headers: { 'x-inner': '1' } };
  const user = new Kept(request).user;
  const answers = [
    await (await keptFetch(new KeptRequest(request, inner))).text(),
    await (await keptFetch(new Request(request.url, { ...inner, method: 'POST', body: 'mine' }))).text(),
  ];
  request.headers.set('x-inner', '1');
  answers.push(await (await keptFetch(request)).text());
  return Response.json({
    user,
    answers,
    isRequest: request instanceof KeptRequest && KeptRequest === Request,
    name: [KeptRequest.name, keptFetch.name, String(new Kept('http://a/b').url)],
  });
}

const scratch = new Uint8Array(8);

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/foreign') {
      const headers: [string, string][] = [
        ['content-type', 'text/plain'],
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ];
      return new Foreign('of another implementation', { status: 201, headers }) as never;
    }
    if (pathname.endsWith('/kept')) return askedByKept(request);
    if (pathname === '/empty') return new Foreign(null, { status: 204 }) as never;
    if (pathname === '/object') return { status: 200 } as never;
    if (pathname === '/names') {
      const names = Array.from({ length: 200 }, (_, n) => `X-Name-${Number(searchParams.get('from')) + n}`);
      return new Response('named', { headers: Object.fromEntries(names.map((name) => [name, 'v'])) });
    }
    if (pathname === '/wrong-name') return new Response('named', { headers: { 'x y': 'v' } });
    new TextEncoder().encodeInto(pathname.padEnd(8, '.'), scratch);
    const response = new Response(scratch);
    // The other request of the test has come by then, and has written into the buffer.
    await new Promise((resolve) => setImmediate(resolve));
    scratch.fill(0);
    return response;
  },
};
