/** Takes threads that do not come back: libuv's, of which the whole process has few, or its own. */
import { pbkdf2 } from 'node:crypto';
import { readFile, readFileSync } from 'node:fs';
import type { Exchange } from '../../../workers/gateway.ts';

/** Some hours of one core. */
const ENDLESS = 2 ** 31 - 1;

/** What the request asks for is under way when it is answered, except where it says that there is no answer. */
export default function blocking(exchange: Exchange): unknown {
  const { pathname, searchParams } = new URL(exchange.request.path, 'http://test.invalid');
  const pipe = searchParams.get('pipe') ?? '';
  const times = Number(searchParams.get('times') ?? 1);
  switch (pathname.slice(pathname.lastIndexOf('/'))) {
    case '/hash':
      for (let i = 0; i < times; i++) pbkdf2('password', 'salt', ENDLESS, 64, 'sha512', ignore);
      break;
    case '/read':
      for (let i = 0; i < times; i++) readFile(pipe, ignore);
      break;
    // Its answer has begun, and waits for the pipe.
    case '/read-whole':
      readFile(pipe, ignore);
      exchange.respond(200);
      return exchange.closed;
    // No answer: its thread waits for the pipe.
    case '/read-at-once':
      // One call of Node's: nobody can end the thread between opening and reading.
      readFileSync(pipe, 'utf8');
      break;
    // No answer: its thread ends, and libuv works on for it.
    case '/exit':
      for (let i = 0; i < times; i++) readFile(pipe, ignore);
      process.exit(1);
  }
  exchange.respond(200, {}, 'under way');
}

function ignore(): void {}
