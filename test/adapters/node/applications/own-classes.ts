/** A server with classes and settings of its own. */
import http from 'node:http';

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
const options: object = { IncomingMessage: Request, ServerResponse: Response, joinDuplicateHeaders: true };

http
  .createServer(
    options as http.ServerOptions<typeof Request, typeof http.ServerResponse<InstanceType<typeof Request>>>,
    (req, res) => {
      open++;
      sockets++;
      req.on('close', () => open--);
      req.socket.on('close', () => sockets--);
      if (req.url === '/silent') {
        // Nobody listens for it, so the server takes the connection away, as Node's does.
        req.setTimeout(20);
        return;
      }
      (res as unknown as Response).json({
        query: req.query.get('q'),
        open,
        sockets,
        age: req.headers.age ?? null,
      });
    },
  )
  .listen(3000);
