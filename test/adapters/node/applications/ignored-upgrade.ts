/** A server that knows nothing of upgrades, as most do: to it one is a request like any other. */
import http from 'node:http';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';

export const ignoring = (): http.Server =>
  http.createServer((req, res) => {
    req.resume().once('end', () => {
      const { method, url, complete, upgrade } = req as http.IncomingMessage & { upgrade: boolean };
      const { upgrade: protocol, 'sec-websocket-version': version } = req.headers;
      const isSocket = req.socket instanceof Socket && req.socket instanceof Duplex;
      res.end(
        JSON.stringify({ method, url, complete, upgrade: upgrade === true, protocol, version, isSocket }),
      );
    });
  });

export default ignoring();
