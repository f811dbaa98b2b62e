/** A server with classes and settings of its own. */
import http from 'node:http';
import type { Duplex } from 'node:stream';

class Request extends http.IncomingMessage {
  get query(): URLSearchParams {
    return new URL(this.url ?? '', 'http://localhost').searchParams;
  }
}
class Response extends http.ServerResponse {
  json(body: unknown): void {
    this.setHeader('content-type', 'application/json');
    this.end(JSON.stringify(body));
  }
}

let open = 0;
let sockets = 0;
const options: object = {
  IncomingMessage: Request,
  ServerResponse: Response,
  joinDuplicateHeaders: true,
  uniqueHeaders: ['x-u'],
  rejectNonStandardBodyWrites: true,
  shouldUpgradeCallback: (req: Request) => req.query.get('q') !== 'refused',
};

/** Whether a response without content takes some. */
function writing(res: http.ServerResponse): string {
  try {
    res.write('content');
    return 'written';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

let written = '';

export const withOptions = (): http.Server =>
  http
    .createServer(options, (request, res) => {
      const req = request as Request;
      open++;
      sockets++;
      req.on('close', () => open--);
      req.socket.on('close', () => sockets--);
      if (req.url === '/silent') {
        // Nobody listens for it, so the server takes the connection away, as Node's does.
        req.setTimeout(20);
        return;
      }
      if (req.method === 'HEAD') {
        written = writing(res);
        res.end();
        return;
      }
      if (req.query.has('lines')) {
        res.setHeader('X-U', ['a', 'b']).appendHeader('X-V', 'a').appendHeader('X-V', 'b');
        res.setHeader('Trailer', 'X-U, X-V');
        res.write('content');
        res.addTrailers({ 'X-U': ['c', 'd'], 'X-V': ['c', 'd'] } as never);
        res.end();
        return;
      }
      (res as Response).json({
        query: req.query.get('q'),
        open,
        sockets,
        age: req.headers.age ?? null,
        written,
      });
    })
    .on('upgrade', (req: Request, socket: Duplex) => {
      const body = JSON.stringify({ query: req.query.get('q'), age: req.headers.age ?? null });
      socket.end(
        `HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });

export default withOptions();
