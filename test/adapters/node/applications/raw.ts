/** One handler for node:http, which each framework's application has mounted: what it does is asked for by the path. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SIGNALS_FIELD, Signals } from '../../../server/signals.ts';

type Step = (req: IncomingMessage, res: ServerResponse, signals: Signals) => void;

/** As a framework would pass it on to the error handler of its own. */
export class PassedOn extends Error {}

const CRUMB = Buffer.alloc(512, 'c');

const steps: { readonly [path: string]: Step } = {
  '/echo': (req, res) => {
    res.setHeader('trailer', 'x-last');
    req.on('data', (piece) => {
      if (res.write(piece)) return;
      req.pause();
      res.once('drain', () => req.resume());
    });
    req.on('end', () => {
      res.addTrailers({ 'x-last': req.trailers['x-last'] ?? 'none' });
      res.end();
    });
  },
  '/interim': (_req, res) => {
    res.writeProcessing();
    res.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
    res.end('final');
  },
  '/empty/204': (_req, res) => void res.writeHead(204).end(),
  '/empty/304': (_req, res) => void res.writeHead(304, { etag: '"one"' }).end(),
  '/length': (_req, res) => void res.writeHead(200, { 'content-length': '5' }).end('12345'),
  '/facts': (req, res) => {
    const { method, url, httpVersion, headers, socket, complete } = req;
    const facts = { method, url, httpVersion, host: headers.host, many: headers['x-many'], complete };
    const { remoteAddress, remoteFamily } = socket;
    res.setHeader('set-cookie', ['a=1', 'b=2']);
    res.end(JSON.stringify({ ...facts, remoteAddress, remoteFamily, rawPort: typeof socket.remotePort }));
  },
  /** Says when `write` has refused and when `drain` has come. */
  '/drain': (_req, res, signals) => {
    let sent = 0;
    const pour = (): void => {
      while (sent < 1_048_576) {
        sent += CRUMB.length * 64;
        if (res.write(Buffer.alloc(CRUMB.length * 64, 'd'))) continue;
        signals.tell('full');
        res.once('drain', () => {
          signals.tell('drain');
          pour();
        });
        return;
      }
      res.end();
    };
    pour();
  },
  '/crumbs': (_req, res) => {
    for (let i = 0; i < 4096; i++) res.write(CRUMB);
    res.end();
  },
  '/throw': () => {
    throw new Error('thrown before the head');
  },
  '/throw-late': (_req, res) => {
    res.write('begun');
    throw new Error('thrown behind the head');
  },
  '/destroy-response': (_req, res) => {
    res.write('begun', () => res.destroy());
  },
  '/destroy-request': (req) => void req.destroy(),
  /** Reads, and tells every event of an early end. */
  '/upload': (req, res, signals) => {
    for (const event of ['aborted', 'close']) req.on(event, () => signals.tell(`req ${event}`));
    req.on('error', (error: NodeJS.ErrnoException) => signals.tell(`req error ${error.code}`));
    res.on('close', () => signals.tell(`res close ${res.writableFinished}`));
    req.once('data', () => signals.tell('begun'));
  },
  '/finish': (_req, res, signals) => {
    res.on('finish', () => signals.tell('finish'));
    res.on('close', () => signals.tell('close'));
    res.end('done');
  },
};

/** @throws PassedOn for what the framework is to be told in its own way */
export function raw(req: IncomingMessage, res: ServerResponse): void {
  const { pathname } = new URL(req.url ?? '/', 'http://test.invalid');
  const name = pathname.replace(/^\/(plain|connect|express|koa|fastify)(?=\/)/, '');
  if (name === '/next') throw new PassedOn('passed on');
  const step = steps[name];
  if (step === undefined) {
    res.writeHead(404).end('no such step');
    return;
  }
  const signals = new Signals(String(req.headers[SIGNALS_FIELD] ?? 'nobody'));
  res.once('close', () => setImmediate(() => signals.close()));
  step(req, res, signals);
}
