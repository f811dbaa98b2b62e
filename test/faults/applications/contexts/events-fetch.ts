import { SIGNALS_FIELD } from '../../../server/signals.ts';
import { Watch } from './watch.ts';

export default {
  fetch(request: Request): Response {
    const watch = new Watch(request.headers.get('x-user') ?? undefined);
    const reader = (request.body as ReadableStream<Uint8Array>).getReader();
    const body = new ReadableStream({
      async pull(controller) {
        watch.see('pull');
        const { done, value } = await reader.read();
        watch.see('data');
        if (!done) controller.enqueue(value);
        else {
          controller.close();
          watch.tell(request.headers.get(SIGNALS_FIELD) as string);
        }
      },
    });
    return new Response(body);
  },
};
