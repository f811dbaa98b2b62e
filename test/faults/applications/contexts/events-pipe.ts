import { createServer } from 'node:http';
import { pipeline, Transform } from 'node:stream';
import { SIGNALS_FIELD } from '../../../server/signals.ts';
import { Watch } from './watch.ts';

/** An upload through streams, and back. */
export default createServer((req, res) => {
  const watch = new Watch(req.headers['x-user'] as string | undefined);
  const through = new Transform({
    transform(chunk, _encoding, done) {
      watch.see('transform');
      done(null, chunk);
    },
    flush(done) {
      watch.see('flush');
      done();
    },
  });
  pipeline(req, through, res, () => {
    watch.see('pipeline');
    watch.tell(String(req.headers[SIGNALS_FIELD]));
  });
});
