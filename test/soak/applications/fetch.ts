import { content } from '../content.ts';
import { note } from '../journal.ts';

export default {
  async fetch(request: Request): Promise<Response> {
    const [, , what = '', id = '', size = '0'] = new URL(request.url).pathname.split('/');
    note(id);
    if (what === 'exit') process.exit(1);
    const headers = { 'x-id': id };
    if (what === 'echo') return new Response(request.body, { headers });
    return new Response(new Uint8Array(content(id, Number(size))), { headers });
  },
};
