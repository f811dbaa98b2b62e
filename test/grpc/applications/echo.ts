/** A Connect service: `connectNodeAdapter` makes a Node handler of it, which speaks gRPC, gRPC-Web and Connect. */
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';
import { Echo, type Text, text } from '../echo-service.ts';

/** Tells the test when the call is cut off, and rejects then with the reason. */
function untilAborted(context: HandlerContext): Promise<never> {
  const signals = new Signals(context.requestHeader.get(SIGNALS_FIELD) ?? 'nobody');
  signals.tell('waiting');
  return new Promise((_resolve, reject) => {
    const onAbort = (): void => {
      const { reason } = context.signal;
      signals.tell(reason instanceof ConnectError ? `aborted ${Code[reason.code]}` : 'aborted');
      setImmediate(() => signals.close());
      reject(reason);
    };
    // On a busy machine the deadline has passed before the call arrives.
    if (context.signal.aborted) onAbort();
    else context.signal.addEventListener('abort', onAbort);
  });
}

function fail(message: string): void {
  if (message === 'throw') throw new Error('a secret of the server');
  if (message === 'denied') {
    throw new ConnectError('not for "you"\näh', Code.PermissionDenied, { 'x-why': 'because' });
  }
}

const routes = (router: ConnectRouter): void => {
  router.service(
    Echo as never,
    {
      async unary(request: Text, context: HandlerContext) {
        fail(request.text);
        if (request.text === 'wait') await untilAborted(context);
        context.responseHeader.set('x-head', context.requestHeader.get('x-ask') ?? 'none');
        context.responseTrailer.set('x-trailer', 'behind');
        return text(request.text, request.count + 1);
      },
      async *server(request: Text, context: HandlerContext) {
        for (let n = 0; n < request.count; n++) {
          if (request.text === 'denied' && n === 2) fail('denied');
          yield text(request.text, n);
        }
        if (request.text === 'wait') await untilAborted(context);
        context.responseTrailer.set('x-trailer', 'behind');
      },
      async client(requests: AsyncIterable<Text>) {
        let all = '';
        let count = 0;
        for await (const request of requests) {
          fail(request.text);
          all += request.text;
          count++;
        }
        return text(all, count);
      },
      async *bidi(requests: AsyncIterable<Text>) {
        for await (const request of requests) {
          fail(request.text);
          if (request.text === 'enough') return;
          yield text(request.text, request.count + 1);
        }
      },
    } as never,
  );
};

export default connectNodeAdapter({ routes });
