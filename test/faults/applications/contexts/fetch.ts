import { enter, session } from './session.ts';

export default {
  async fetch(request: Request): Promise<Response> {
    const found = enter(request.headers.get('x-user') ?? undefined);
    await request.text();
    return new Response(`${found}, then ${session.getStore()}`);
  },
};
