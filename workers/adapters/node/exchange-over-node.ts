/** An exchange made of a request and a response of node:http or node:http2. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { plainName } from '../../../wire/field-marks.ts';
import { NOTHING_WITHHELD, requireFeatures } from '../../exchange/capabilities.ts';
import { ExchangeClosedError, HostError } from '../../exchange/errors.ts';
import { pendingPush } from '../../exchange/pushes.ts';
import { ReceivedFields } from '../../fields/received.ts';
import { flatten } from '../../fields/sent.ts';
import type {
  Capabilities,
  Exchange,
  ExchangeBody,
  ExchangeRequest,
  ExtensionKey,
  Feature,
  Fields,
  PushedResponse,
  PushRequest,
  Tunnel,
  Withheld,
} from '../../gateway.ts';
import { WrappedBody } from '../../middleware/wrapped-body.ts';
import type { Downgrade } from '../downgrade.ts';
import { preloadLink } from '../preload.ts';
import { RequestOverNode } from './request-over-node.ts';
import { ResponseOverNode } from './response-over-node.ts';

type Req = IncomingMessage | Http2ServerRequest;
type Res = ServerResponse | Http2ServerResponse;

const NEVER = new AbortController().signal;
/** Error codes of a Node request whose connection or stream has ended. */
const CUT_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']);

export class ExchangeOverNode extends ResponseOverNode implements Exchange {
  readonly request: ExchangeRequest;
  readonly capabilities: Capabilities;
  readonly withheld: readonly Withheld[];
  readonly body: ExchangeBody;
  readonly draining: AbortSignal = NEVER;
  readonly #req: Req;
  readonly #downgrade: Downgrade;
  #trailers: Promise<Fields> | null = null;

  constructor(req: Req, res: Res, downgrade: Downgrade) {
    super(res, downgrade);
    this.#req = req;
    this.#downgrade = downgrade;
    this.request = new RequestOverNode(req);
    const isHttp2 = 'stream' in res;
    const isPatched = Object.hasOwn(res, 'write') || Object.hasOwn(res, 'end');
    const takesPushes = isHttp2 && (res.stream?.pushAllowed ?? false);
    this.capabilities = Object.freeze({
      push: takesPushes && !isPatched,
      trailers: this.request.version !== '1.0',
      informational: this.request.version !== '1.0',
      tunnel: false,
      priority: false,
      streaming: !isPatched,
      reset: isHttp2,
      padding: false,
    });
    this.withheld = isPatched ? withheldByPatch(takesPushes) : NOTHING_WITHHELD;
    this.body = new WrappedBody(
      {
        get isAtEnd() {
          return isAtEnd(req);
        },
      } as ExchangeBody,
      () => piecesOf(req, this),
    );
  }

  get trailers(): Promise<Fields> {
    this.#trailers ??= trailersOf(this.#req, this.signal);
    return this.#trailers;
  }

  require(...features: readonly Feature[]): void {
    requireFeatures(this, features);
  }

  extension<T>(_key: ExtensionKey<T>): T | null {
    return null;
  }

  closeConnection(): void {
    if (!('stream' in this.res)) this.res.shouldKeepAlive = false;
  }

  async push(request: PushRequest): Promise<PushedResponse | null> {
    const { method, path, fields } = pendingPush(request);
    if (this.isComplete)
      throw new HostError('SLUICE_RESPONSE_ENDED', 'expected push() before the end of the response');
    if (this.signal.aborted) return null;
    if (!this.capabilities.push) return this.#insteadOfPush(path);
    const headers: { [name: string]: string | string[] } = { ':method': method, ':path': path };
    for (let i = 0; i < fields.length; i += 2) {
      const name = plainName(fields[i]);
      headers[name] = [headers[name] ?? [], fields[i + 1]].flat();
    }
    return new Promise((resolve) => {
      (this.res as Http2ServerResponse).createPushResponse(headers, (error, pushed) =>
        // The peer no longer takes pushes, or has as many as it takes.
        resolve(error === null ? new ResponseOverNode(pushed, this.#downgrade) : null),
      );
    });
  }

  #insteadOfPush(path: string): null {
    const { push } = this.#downgrade;
    if (push === 'refuse') this.require('push');
    if (push === 'preload' && !this.isStarted) {
      const link = preloadLink(path);
      this.preloads.push(link);
      this.inform(103, { link });
    }
    return null;
  }

  accept(): Tunnel {
    throw new HostError(
      'SLUICE_NOT_A_TUNNEL',
      'expected a server that hands tunnels over as exchanges, node:http gives them to its upgrade listeners',
    );
  }
}

function withheldByPatch(takesPushes: boolean): readonly Withheld[] {
  const why = 'a layer above has put functions of its own over the response’s write and end';
  const withheld: Withheld[] = [{ feature: 'streaming', why }];
  return takesPushes ? [...withheld, { feature: 'push', why }] : withheld;
}

function isAtEnd(req: Req): boolean {
  return req.readableEnded || (req.readableLength === 0 && (req.complete || isBodiless(req)));
}

/** Whether the head announces no content: over HTTP/2 it ends the stream, over HTTP/1 it has neither field of RFC 9112 section 6.3. */
function isBodiless(req: Req): boolean {
  if ('stream' in req) return req.stream?.endAfterHeaders ?? false;
  const { 'transfer-encoding': coding, 'content-length': length = '0' } = req.headers;
  return coding === undefined && length === '0';
}

async function* piecesOf(
  req: Req,
  { signal, closed }: Pick<Exchange, 'signal' | 'closed'>,
): AsyncGenerator<Uint8Array> {
  if (req.readableEnded) {
    throw new HostError('SLUICE_BODY_USED', 'expected one reading of the body, a layer above has read it');
  }
  try {
    yield* req.iterator({ destroyOnReturn: false });
  } catch (error) {
    // When the peer leaves, Node tells the request first. Only the response, told next, knows how the exchange ended.
    if (CUT_CODES.has((error as NodeJS.ErrnoException).code ?? '')) await closed;
    throw signal.aborted ? signal.reason : error;
  }
}

/** Resolves when the body has been read to its end; rejects if the request is cut off. */
function trailersOf(req: Req, signal: AbortSignal): Promise<Fields> {
  const trailers = new Promise<Fields>((resolve, reject) => {
    const take = () => {
      const raw = req.rawTrailers;
      resolve(new ReceivedFields(flatten(pairsOf(raw))));
    };
    if (req.readableEnded || isAtEnd(req)) {
      take();
      return;
    }
    req.once('end', take);
    req.once('close', () => {
      reject(signal.reason ?? new ExchangeClosedError({ by: 'peer', how: 'reset', code: 0x8 }));
    });
  });
  // The application need not await it: the body and the signal report a request that was cut off.
  trailers.catch(() => undefined);
  return trailers;
}

function* pairsOf(raw: readonly string[]): Generator<[string, string]> {
  for (let i = 0; i < raw.length; i += 2) yield [raw[i], raw[i + 1]];
}
