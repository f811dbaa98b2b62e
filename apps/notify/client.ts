/**
 * A client of the service for Node, over one HTTP/2 connection: what a user agent and an application server do.
 *
 *   const session = http2.connect('http://127.0.0.1:8080');
 *   const { subscription, push } = await subscribe(session);
 *   const monitoring = monitor(session, subscription, async ({ path, body }) => { …; await acknowledge(session, path); });
 *   await send(session, push, 'hello', { ttl: 60 });
 */
import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';

export interface Subscribed {
  readonly subscription: string;
  readonly push: string;
  readonly set: string;
}

export interface Pushed {
  /** The message's resource, which is acknowledged. */
  readonly path: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface SendOptions {
  readonly ttl: number;
  readonly urgency?: string;
  readonly topic?: string;
  readonly type?: string;
  /** Whether to ask for a receipt; a string is the receipt subscription of an earlier message. */
  readonly receipt?: boolean | string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string | Buffer,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: body === undefined });
    const pieces: Buffer[] = [];
    let head: IncomingHttpHeaders | null = null;
    stream.on('response', (headers) => {
      head = headers;
    });
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', reject);
    stream.on('close', () => {
      if (head === null || stream.rstCode !== 0)
        reject(new Error(`the answer was cut off (code ${stream.rstCode})`));
      else resolve({ status: Number(head[':status']), headers: head, body: Buffer.concat(pieces) });
    });
    if (body !== undefined) stream.end(body);
  });
}

/** @param set of an earlier subscription, which the new one joins */
export async function subscribe(session: ClientHttp2Session, set?: string): Promise<Subscribed> {
  const link = set === undefined ? {} : { link: `<${set}>; rel="urn:ietf:params:push:set"` };
  const { headers } = expect(
    201,
    await ask(session, { ':method': 'POST', ':path': '/notify/subscribe', ...link }),
  );
  const links = String(headers.link);
  const target = (relation: string): string =>
    new RegExp(`<([^>]*)>; rel="${relation}"`).exec(links)?.[1] ?? '';
  return {
    subscription: String(headers.location),
    push: target('urn:ietf:params:push'),
    set: target('urn:ietf:params:push:set'),
  };
}

/** @returns the message's resource and, if a receipt was requested, its receipt subscription */
export async function send(
  session: ClientHttp2Session,
  push: string,
  body: string | Buffer,
  { ttl, urgency, topic, type, receipt }: SendOptions,
): Promise<{ message: string; receipt: string | null }> {
  const headers: OutgoingHttpHeaders = { ':method': 'POST', ':path': push, ttl: String(ttl) };
  if (urgency !== undefined) headers.urgency = urgency;
  if (topic !== undefined) headers.topic = topic;
  if (type !== undefined) headers['content-type'] = type;
  if (receipt) headers.prefer = 'respond-async';
  if (typeof receipt === 'string') headers.link = `<${receipt}>; rel="urn:ietf:params:push:receipt"`;
  const answer = expect(receipt ? 202 : 201, await ask(session, headers, body));
  return {
    message: String(answer.headers.location),
    receipt: /<([^>]*)>; rel="urn:ietf:params:push:receipt"/.exec(String(answer.headers.link))?.[1] ?? null,
  };
}

/** Acknowledges a message, or ends a subscription. */
export async function remove(session: ClientHttp2Session, path: string): Promise<void> {
  expect(204, await ask(session, { ':method': 'DELETE', ':path': path }));
}

export interface Monitoring {
  /**
   * The end of the monitoring: because of the monitored resource, because of the server, or with `wait:
   * false` after the existing messages.
   */
  readonly over: Promise<Answer>;
  stop(): void;
}

/**
 * Monitors a subscription, a set of them, or receipts. Node reports every promise on the session, so a
 * session can have only one monitoring.
 * @param onPushed called for each complete item
 */
export function monitor(
  session: ClientHttp2Session,
  path: string,
  onPushed: (pushed: Pushed) => void,
  { wait = true, urgency }: { readonly wait?: boolean; readonly urgency?: string } = {},
): Monitoring {
  const onStream = (
    stream: ReturnType<ClientHttp2Session['request']>,
    request: IncomingHttpHeaders,
  ): void => {
    const pieces: Buffer[] = [];
    let head: IncomingHttpHeaders | null = null;
    stream.on('push', (headers: IncomingHttpHeaders) => {
      head = headers;
    });
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', () => {
      // Cut off: it was not acknowledged, so it will be sent again.
    });
    stream.on('close', () => {
      if (head === null || stream.rstCode !== 0) return;
      const status = Number(head[':status']);
      onPushed({ path: String(request[':path']), status, headers: head, body: Buffer.concat(pieces) });
    });
  };
  session.on('stream', onStream);
  const headers: OutgoingHttpHeaders = { ':path': path };
  if (!wait) headers.prefer = 'wait=0';
  if (urgency !== undefined) headers.urgency = urgency;
  const stream = session.request(headers);
  const over = new Promise<Answer>((resolve, reject) => {
    let head: IncomingHttpHeaders | null = null;
    const pieces: Buffer[] = [];
    stream.on('response', (headers) => {
      head = headers;
    });
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', () => undefined);
    stream.on('close', () => {
      session.off('stream', onStream);
      if (head === null) reject(new Error(`the monitoring was cut off (code ${stream.rstCode})`));
      else resolve({ status: Number(head[':status']), headers: head, body: Buffer.concat(pieces) });
    });
  });
  // A caller that does not wait for it may ignore it.
  over.catch(() => undefined);
  return { over, stop: () => stream.close(0x8) };
}

function expect(status: number, answer: Answer): Answer {
  if (answer.status === status) return answer;
  throw new Error(`expected ${status}, got ${answer.status}: ${answer.body.toString().trim()}`);
}
