/** Handlers that have answered before they read. `GET` tells what they have met, when it is all there. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

type Way = (req: IncomingMessage, res: ServerResponse, tell: (what: string) => void) => unknown;

/** Each tells `over` when it has met all that there is to meet. */
export const ways: { readonly [path: string]: Way } = {
  '/data': (req, res, tell) => {
    let bytes = 0;
    req.on('data', (piece: Buffer) => {
      bytes += piece.length;
    });
    req.on('end', () => tell(`end ${bytes}`));
    req.on('close', () => tell(`over ${req.complete} ${req.aborted}`));
    res.end('answer');
  },
  '/resume': (req, res, tell) => {
    req.on('close', () => tell(`over ${req.complete} ${req.aborted} ${req.errored}`));
    req.resume();
    res.end('answer');
  },
  '/nobody': (req, res, tell) => {
    req.on('close', () => tell(`over ${req.complete} ${req.aborted} ${req.errored}`));
    res.end('answer');
  },
  '/for-await': async (req, res, tell) => {
    res.end('answer');
    let bytes = 0;
    for await (const piece of req) bytes += (piece as Buffer).length;
    tell(`over ${bytes}`);
  },
  '/begun-before': async (req, res, tell) => {
    const pieces = req[Symbol.asyncIterator]();
    const first = pieces.next();
    res.end('answer');
    let bytes = 0;
    for (let { value, done } = await first; done !== true; { value, done } = await pieces.next()) {
      bytes += (value as Buffer).length;
    }
    tell(`over ${bytes} ${req.complete}`);
  },
  '/after-close': (req, res, tell) => {
    const read = async () => {
      let bytes = 0;
      for await (const piece of req) bytes += (piece as Buffer).length;
      return bytes;
    };
    res.on('close', () =>
      setImmediate(() =>
        read().then(
          (bytes) => tell(`over ${bytes}`),
          ({ code }) => tell(`over ${code}`),
        ),
      ),
    );
    res.end('answer');
  },
  '/detached': (_req, res, tell) => {
    res.on('finish', () => tell(`finish ${res.socket}`));
    res.on('close', () => tell(`over ${res.socket}`));
    res.end('answer');
  },
};

export function lateReading(): Server {
  let met: string[] = [];
  let over = Promise.withResolvers<void>();
  return createServer(async (req, res) => {
    if (req.method === 'GET') {
      await over.promise;
      res.end(met.join('\n'));
      return;
    }
    met = [];
    over = Promise.withResolvers();
    void (ways[req.url as string] as Way)(req, res, (what) => {
      met.push(what);
      if (what.startsWith('over')) over.resolve();
    });
  });
}

export default lateReading();
