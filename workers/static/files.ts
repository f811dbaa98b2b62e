/**
 * The application that serves the files of one route. It runs in the threads of a pool like any other
 * application. So the reactor never waits for a disk, and the pool provides credit, queue, drain and
 * supervision.
 */
import { basename } from 'node:path';
import { linesOf } from '../fields/lines.ts';
import type { Exchange } from '../gateway.ts';
import { ContentSender, FileChangedError, readRange } from './content.ts';
import { AcceptedCodings } from './content-coding.ts';
import { contentTypeOf } from './content-type.ts';
import { layMultipart } from './multipart.ts';
import type { ContentCoding, StaticOptions } from './options.ts';
import { allowsRange, evaluatePreconditions } from './preconditions.ts';
import { contentRange, type RangeSelection, selectRanges } from './ranges.ts';
import { redirectToDirectory, refuse } from './refusals.ts';
import { prefixOf, type RequestPath, readRequestPath } from './request-path.ts';
import type { Surroundings } from './surroundings.ts';
import { type Found, type OpenFile, Tree } from './tree.ts';
import { validatorFields, validatorsOf } from './validators.ts';
import { Variants } from './variants.ts';

/** The representation (RFC 9110 section 8) that was chosen. */
interface Chosen extends OpenFile {
  readonly coding: ContentCoding | null;
  readonly contentType: string;
  /** Other codings of the file exist, so caches must take Accept-Encoding into account. */
  readonly varies: boolean;
}

const METHODS = 'GET, HEAD, OPTIONS';
/** A file that changes while it is read, before anything of it was sent, is read once more. */
const ATTEMPTS = 2;

export class Files {
  readonly #options: StaticOptions;
  readonly #prefix: string;
  readonly #tree: Tree;
  readonly #variants: Variants;
  readonly #content: ContentSender;
  readonly #surroundings: Surroundings;

  constructor(options: StaticOptions, surroundings: Surroundings) {
    this.#options = options;
    this.#prefix = prefixOf(options.path);
    const { disk, now, turns } = surroundings;
    this.#tree = new Tree(options.root, options.symlinks, disk);
    this.#variants = new Variants(options.precompressed, options.recheckMs, disk, this.#tree, now);
    this.#content = new ContentSender(options.readBytes, turns);
    this.#surroundings = surroundings;
  }

  /** Returns a promise if the content needs more than one piece. */
  serve(exchange: Exchange): void | Promise<void> {
    const { method, path: target } = exchange.request;
    if (method === 'OPTIONS') return exchange.respond(204, { allow: METHODS }, '');
    if (method !== 'GET' && method !== 'HEAD') return refuse(exchange, 405, { allow: METHODS });
    const path = readRequestPath(target, this.#prefix, this.#surroundings.disk.platform);
    if (typeof path === 'number') return refuse(exchange, path);
    const { dotfiles } = this.#options;
    if (dotfiles !== 'serve' && path.segments.some((name) => name.startsWith('.'))) {
      return refuse(exchange, dotfiles === 'hide' ? 404 : 403);
    }
    for (let attempt = 1; ; attempt++) {
      try {
        return this.#answer(exchange, path);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EMFILE' || code === 'ENFILE') return refuseForNow(exchange, error);
        // A rethrown error reaches the log; the client sees 500 unless something was sent.
        const isUnsent = error instanceof FileChangedError && error.sent === 'nothing';
        if (!isUnsent || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /**
   * Sends one file.
   * @param path whole
   * @param own additional fields for the response head
   * @returns what was found instead, if nothing was sent
   */
  async send(
    exchange: Exchange,
    path: string,
    own: readonly (readonly [string, string])[],
  ): Promise<'sent' | Exclude<Found, OpenFile>> {
    const found = this.#tree.open(path);
    if (typeof found === 'string') return found;
    await this.#represent(exchange, found, own);
    return 'sent';
  }

  #answer(exchange: Exchange, path: RequestPath): void | Promise<void> {
    const found = path.isDirectory ? this.#findIndex(path) : this.#tree.find(path.segments);
    switch (found) {
      case 'directory':
        return redirectToDirectory(exchange, path.lastName, path.query);
      case 'missing':
      // A status of its own would reveal what exists outside the root.
      case 'outside':
        return refuse(exchange, 404);
      case 'forbidden':
      case 'special':
        return refuse(exchange, 403);
      default:
        return this.#represent(exchange, found);
    }
  }

  /** Finds the first existing index file. A directory without one is not listed. */
  #findIndex({ segments }: RequestPath): Found {
    for (const name of this.#options.index) {
      const found = this.#tree.find([...segments, name]);
      if (found !== 'missing' && found !== 'directory') return found;
    }
    return 'missing';
  }

  /**
   * Chooses a coding, sends the file, and closes what was opened. A response in progress has one file open.
   */
  #represent(
    exchange: Exchange,
    original: OpenFile,
    own: readonly (readonly [string, string])[] = [],
  ): void | Promise<void> {
    let open = original;
    let isSending = false;
    try {
      const contentType = contentTypeOf(basename(original.path));
      const variants = this.#variants.of(original);
      const varies = variants.length > 0;
      let coding: ContentCoding | null = null;
      if (varies) {
        const accepted = new AcceptedCodings(exchange.request.fields.all('accept-encoding'));
        for (const variant of accepted.order(variants)) {
          const found = this.#variants.open(variant, original);
          if (found === null) continue;
          open = found;
          original.file.close();
          ({ coding } = variant);
          break;
        }
        // RFC 9110 section 12.5.3: send the file without a coding, unless the client refuses exactly that.
        if (coding === null && !accepted.takesIdentity) {
          return refuse(exchange, 406, { vary: 'accept-encoding' });
        }
      }
      const sending = this.#send(exchange, { ...open, coding, contentType, varies }, own);
      if (sending === undefined) return;
      isSending = true;
      return closeAfter(sending, open);
    } finally {
      if (!isSending) open.file.close();
    }
  }

  #send(
    exchange: Exchange,
    chosen: Chosen,
    own: readonly (readonly [string, string])[],
  ): void | Promise<void> {
    const { fields, method } = exchange.request;
    const { etag, maxRanges, cacheControl } = this.#options;
    const now = this.#surroundings.now();
    const validators = validatorsOf(chosen.stats, chosen.coding, etag, now);
    const verdict = evaluatePreconditions(fields, validators, now);
    if (verdict === 'failed') return refuse(exchange, 412);
    const head = validatorFields(validators);
    for (const [name, value] of own) head.push([name, value]);
    if (cacheControl !== '') head.push(['cache-control', cacheControl]);
    if (chosen.varies) head.push(['vary', 'accept-encoding']);
    if (verdict === 'not-modified') return exchange.respond(304, head, '');

    const size = Number(chosen.stats.size);
    // RFC 9110 section 14.2: ranges are defined only for GET.
    const ranges: RangeSelection =
      method === 'GET' && allowsRange(fields, validators, now)
        ? selectRanges(linesOf(fields, 'range'), size, maxRanges)
        : 'ignored';
    if (ranges === 'unsatisfiable')
      return refuse(exchange, 416, { 'content-range': contentRange(null, size) });
    head.push(['accept-ranges', 'bytes'], ['x-content-type-options', 'nosniff']);
    if (chosen.coding !== null) head.push(['content-encoding', chosen.coding]);
    return this.#sendContent(exchange, chosen, head, ranges, size);
  }

  #sendContent(
    exchange: Exchange,
    chosen: Chosen,
    head: [string, string][],
    ranges: Exclude<RangeSelection, 'unsatisfiable'>,
    size: number,
  ): void | Promise<void> {
    if (ranges !== 'ignored' && ranges.length > 1) {
      const multipart = layMultipart(ranges, size, chosen.contentType, this.#surroundings.boundary());
      head.push(['content-type', multipart.contentType], ['content-length', String(multipart.bytes)]);
      exchange.respond(206, head);
      return endAfter(this.#content.sendMultipart(exchange, chosen, multipart), exchange);
    }
    const [range = { first: 0, last: size - 1 }] = ranges === 'ignored' ? [] : ranges;
    const status = ranges === 'ignored' ? 200 : 206;
    const length = range.last - range.first + 1;
    head.push(['content-type', chosen.contentType], ['content-length', String(length)]);
    if (status === 206) head.push(['content-range', contentRange(range, size)]);
    if (exchange.request.method === 'HEAD') {
      exchange.respond(status, head);
      return exchange.end();
    }
    // Most files fit into one message with head and content.
    if (length <= this.#options.readBytes) return exchange.respond(status, head, readRange(chosen, range));
    exchange.respond(status, head);
    return endAfter(this.#content.sendRange(exchange, chosen, range), exchange);
  }
}

async function endAfter(sending: Promise<void>, exchange: Exchange): Promise<void> {
  await sending;
  exchange.end();
}

async function closeAfter(sending: Promise<void>, { file }: OpenFile): Promise<void> {
  try {
    await sending;
  } finally {
    file.close();
  }
}

/**
 * No file descriptor is left.
 * @throws the error, for the log
 */
async function refuseForNow(exchange: Exchange, error: unknown): Promise<never> {
  refuse(exchange, 503, { 'retry-after': '1' });
  // If the ring to the reactor is full the response still waits here, and an error thrown now would replace
  // it.
  await exchange[Symbol.asyncDispose]();
  throw error;
}
