/** A server that decides itself whether a client may send its content, and says which event a request came by. */
import http from 'node:http';

const respond =
  (event: string): http.RequestListener =>
  (req, res) => {
    if (event === 'checkContinue') res.writeContinue();
    req.resume();
    req.on('end', () => res.end(event));
  };

http.createServer(respond('request')).on('checkContinue', respond('checkContinue')).listen(3000);
