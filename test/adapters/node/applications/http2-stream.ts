/** What applications do with a stream of node:http2, on one that they have of `req` and `res` or get as listeners of `stream`. */
import { open } from 'node:fs/promises';
import {
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { fileURLToPath } from 'node:url';

type Way = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

const text = fileURLToPath(new URL('http2-stream.txt', import.meta.url));
const folder = fileURLToPath(new URL('.', import.meta.url));

/** Codes of what is thrown. */
function thrown(act: () => void): string {
  try {
    act();
    return 'nothing';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

function told(stream: ServerHttp2Stream): object {
  const { session, sentHeaders } = stream;
  return {
    aborted: stream.aborted,
    closed: stream.closed,
    destroyed: stream.destroyed,
    pending: stream.pending,
    rstCode: stream.rstCode,
    headersSent: stream.headersSent,
    endAfterHeaders: stream.endAfterHeaders,
    pushAllowed: stream.pushAllowed,
    status: sentHeaders?.[':status'],
    encrypted: session?.encrypted,
    alpnProtocol: session?.alpnProtocol,
    type: session?.type,
    address: session?.socket.remoteAddress,
  };
}

/** What a stream that the peer has ended has told. */
let ended: object = {};
/** What was thrown behind the end of a response. */
let late: object = {};

export const ways: { readonly [path: string]: Way } = {
  '/told': (stream) => {
    const before = told(stream);
    stream.respond({ ':status': 203, 'content-type': 'application/json' });
    stream.end(JSON.stringify([before, told(stream)]));
  },
  '/headers': (stream, headers) => {
    const { ':method': method, ':path': path, ':scheme': scheme, ':authority': authority } = headers;
    stream.end(JSON.stringify([method, path, scheme, authority?.startsWith('127.0.0.1'), headers['x-own']]));
  },
  '/lists': (stream) => {
    stream.respond({ ':status': 201, 'set-cookie': ['a=1', 'b=2'], 'x-number': 3, 'x-not': undefined });
    stream.end('in lists');
  },
  '/head-alone': (stream) => stream.respond({ ':status': 204 }, { endStream: true }),
  '/echo': (stream) => stream.pipe(stream),
  '/interim': (stream) => {
    stream.additionalHeaders({ ':status': 103, link: '</style.css>; rel=preload' });
    stream.respond();
    stream.end(JSON.stringify(stream.sentInfoHeaders));
  },
  '/trailers': (stream) => {
    stream.respond({}, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-checksum': 'abc' }));
    stream.end('with trailers');
  },
  '/of-request': (stream) => {
    stream.once('trailers', (trailers) => stream.end(JSON.stringify(trailers)));
    stream.resume();
  },
  '/mistakes': (stream) => {
    const codes = [
      thrown(() => stream.additionalHeaders({ ':status': 101 })),
      thrown(() => stream.additionalHeaders({ ':status': 200 })),
      thrown(() => stream.sendTrailers({})),
    ];
    stream.respond();
    codes.push(
      thrown(() => stream.respond()),
      thrown(() => stream.additionalHeaders({ ':status': 103 })),
    );
    stream.end(codes.join());
  },
  '/push': (stream) => {
    stream.pushStream({ ':path': '/pushed', accept: 'text/css' }, (error, pushed, headers) => {
      if (error !== null) return stream.destroy(error);
      pushed.respond({ ':status': 200, 'x-for': String(headers[':path']) });
      pushed.end('content of a push');
      stream.respond();
      stream.end(thrown(() => pushed.pushStream({ ':path': '/' }, () => undefined)));
    });
  },
  '/push-refused': (stream) =>
    void stream.end(thrown(() => stream.pushStream({ ':path': '/pushed' }, () => undefined))),
  '/file': (stream) => stream.respondWithFile(text, { 'content-type': 'text/plain' }),
  '/file-part': (stream) => stream.respondWithFile(text, {}, { offset: 2, length: 5 }),
  '/file-checked': (stream) =>
    stream.respondWithFile(
      text,
      {},
      {
        statCheck: (stat, headers) => {
          headers['x-size'] = stat.size;
        },
      },
    ),
  '/file-beyond': (stream) => stream.respondWithFile(text, {}, { offset: 1000 }),
  '/file-before': (stream) =>
    stream.respondWithFile(
      text,
      {},
      { offset: -1, onError: (error) => void stream.end((error as NodeJS.ErrnoException).code) },
    ),
  '/file-taken': (stream) =>
    stream.respondWithFile(
      text,
      {},
      {
        statCheck: () => {
          stream.respond({ ':status': 304 }, { endStream: true });
          return false;
        },
      },
    ),
  '/file-missing': (stream) =>
    stream.respondWithFile(`${text}.missing`, {}, { onError: ({ code }) => void stream.end(code) }),
  '/file-folder': (stream) =>
    stream.respondWithFile(
      folder,
      {},
      { onError: (error) => void stream.end((error as NodeJS.ErrnoException).code) },
    ),
  '/descriptor': async (stream) => {
    const file = await open(text);
    stream.respondWithFD(file.fd, {});
    stream.once('close', () => void file.close());
  },
  '/refused': (stream) => {
    stream.once('error', () => undefined);
    stream.close(7);
  },
  '/cut': (stream) => {
    stream.once('error', () => undefined);
    stream.respond();
    stream.write('a part', () => stream.close(2));
  },
  '/closed': (stream) => {
    stream.respond();
    stream.write('whole');
    stream.close();
  },
  '/hold': (stream) => {
    stream.once('close', () => {
      ended = { aborted: stream.aborted, rstCode: stream.rstCode, destroyed: stream.destroyed };
    });
    stream.respond();
    stream.write('begun');
  },
  '/ended': (stream) => void stream.end(JSON.stringify(ended)),
  '/time': (stream) => void stream.setTimeout(1, () => stream.end('in time')),
  // Of `req` and `res` alone.
  '/session': (stream) => void (stream.session as never as { ping(): void }).ping(),
};

/** Of the compatibility interface, beside its stream. */
type Asked = (req: Http2ServerRequest, res: Http2ServerResponse) => void;
export const asked: { readonly [path: string]: Asked } = {
  '/members': (req, res) => {
    const { authority, scheme } = req;
    res.end(
      JSON.stringify([
        req.stream === res.stream,
        authority.startsWith('127.0.0.1'),
        scheme,
        req.headers[':path'],
        req.headers[':method'],
        req.rawHeaders.includes(':path'),
        'stream' in req,
      ]),
    );
  },
  '/set-trailer': (_req, res) => {
    // Node's declarations leave it out.
    (res as never as { setTrailer(name: string, value: string): void }).setTrailer('x-one', '1');
    res.addTrailers({ 'x-two': '2' });
    res.end('with trailers');
  },
  '/push-response': (_req, res) => {
    res.createPushResponse({ ':path': '/pushed' }, (error, pushed) => {
      if (error !== null) return res.stream.destroy(error);
      pushed.setHeader('x-pushed', 'yes');
      pushed.end('content of a push');
      res.end('page');
    });
  },
  '/late': (_req, res) => {
    res.end('answered');
    res.once('close', () =>
      setTimeout(() => {
        late = [
          thrown(() => res.writeHead(200)),
          thrown(() => res.writeContinue()),
          thrown(() => res.write('more')),
          thrown(() => res.end('more')),
          thrown(() => res.setTimeout(1)),
          thrown(() =>
            res.createPushResponse({ ':path': '/' }, (error) => {
              late = [late, (error as NodeJS.ErrnoException).code];
            }),
          ),
        ];
      }, 1),
    );
  },
  '/told-late': (_req, res) => void res.end(JSON.stringify(late)),
  '/written-by-both': (_req, res) => {
    res.stream.once('close', () => undefined);
    res.writeHead(202, { 'x-by': 'response' });
    res.stream.write('by stream, ');
    res.end('by response');
  },
};

export const byRequest = (): Http2Server =>
  createServer((req, res) => {
    const path = req.url;
    const way = asked[path];
    if (way === undefined) ways[path]?.(res.stream, req.headers);
    else way(req, res);
  });

export const byStream = (): Http2Server =>
  createServer().on('stream', (stream, headers) => ways[headers[':path'] as string]?.(stream, headers));

export default byRequest();
