/** A route's `static`: files of a directory, served by a built-in application in threads of the route's own. */

import * as v from 'valibot';
import { oneOf, wholeNumber } from './fields.ts';
import { maxThreads } from './thread-range.ts';

export const contentCodings = ['br', 'zstd', 'gzip'] as const;

const root = 'the path of a directory';
const fileName = 'a file name without a slash';
const cacheControl = 'a field value of visible characters, or ""';

export const staticSchema = v.pipe(
  v.strictObject(
    {
      root: v.pipe(
        v.string(root),
        v.minLength(1, root),
        v.description(
          'The directory; a path relative to this file, or absolute. A route "/assets/*" serves ROOT/a.css as /assets/a.css; a route with an exact path serves the file of its last segment.',
        ),
      ),
      index: v.optional(
        v.pipe(
          v.array(
            v.pipe(v.string(fileName), v.regex(/^(?!\.{1,2}$)[^/\\]+$/, fileName)),
            'an array of file names',
          ),
          v.description(
            'Files that answer for a directory: the first one that exists. Directories are never listed.',
          ),
        ),
        ['index.html'],
      ),
      dotfiles: oneOf(
        'What happens to names that begin with a dot: hide answers 404, refuse 403.',
        ['hide', 'refuse', 'serve'],
        'hide',
      ),
      symlinks: oneOf(
        'Where symbolic links may lead. With inside, a link that leaves the root is answered 404.',
        ['inside', 'anywhere'],
        'inside',
      ),
      precompressed: v.optional(
        v.pipe(
          v.array(
            v.picklist(contentCodings, contentCodings.map((coding) => JSON.stringify(coding)).join(', ')),
            'an array of content codings',
          ),
          v.description(
            'Codings to look for beside a file (a.css.br, a.css.zst, a.css.gz) and to send to clients that accept them; the first one wins if a client has no preference. A variant that is older than the file itself is ignored.',
          ),
        ),
        [...contentCodings],
      ),
      recheckMs: wholeNumber(
        'How long a thread remembers which codings exist for a file; 0: it looks every time.',
        { from: 0, to: 86_400_000, byDefault: 1_000 },
      ),
      etag: oneOf(
        'What an entity tag is made of, together with the size. mtime gives the same tag on every machine that has a copy with the same times; ctime also distinguishes files whose times were set; none sends no tag.',
        ['mtime', 'ctime', 'none'],
        'mtime',
      ),
      cacheControl: v.optional(
        v.pipe(
          v.string(cacheControl),
          v.regex(/^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/, cacheControl),
          v.description('The Cache-Control of every file (RFC 9111 section 5.2); "" sends none.'),
        ),
        'no-cache',
      ),
      maxRanges: wholeNumber(
        'Ranges that one request may ask for; the answer to more is the whole file (RFC 9110 section 14.2).',
        { from: 1, to: 1_024, byDefault: 16 },
      ),
      readBytes: wholeNumber(
        'The most bytes of one read from disk. A client that takes less is served in smaller reads.',
        { from: 4_096, to: 1_048_576, byDefault: 65_536 },
      ),
      threads: wholeNumber(
        'The most threads that serve the files. The first starts with the server, others when files wait: a thread that waits for its disk serves nothing else meanwhile.',
        { from: 1, to: maxThreads, byDefault: 4 },
      ),
      exchangesPerThread: wholeNumber(
        'Responses under way in one thread, each with one open file; more wait in the queue.',
        { from: 1, to: 65_536, byDefault: 1_024 },
      ),
    },
    'an object with a root',
  ),
  v.description('A directory whose files answer. Default: none, with pool.'),
);
