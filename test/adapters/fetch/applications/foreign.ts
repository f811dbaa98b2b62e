/** Responses of another implementation, and one buffer for all answers. */
import { Response as Foreign } from 'undici';

const scratch = new Uint8Array(8);

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === '/foreign') {
      const headers: [string, string][] = [
        ['content-type', 'text/plain'],
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ];
      return new Foreign('of another implementation', { status: 201, headers }) as never;
    }
    if (pathname === '/empty') return new Foreign(null, { status: 204 }) as never;
    if (pathname === '/object') return { status: 200 } as never;
    new TextEncoder().encodeInto(pathname.padEnd(8, '.'), scratch);
    const response = new Response(scratch);
    // The other request of the test has come by then, and has written into the buffer.
    await new Promise((resolve) => setImmediate(resolve));
    scratch.fill(0);
    return response;
  },
};
