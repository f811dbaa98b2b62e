/**
 * A Web Push service (RFC 8030). A subscriber gets two addresses, one to monitor and one to hand out. What is
 * sent to the second arrives at the first, as server pushes of an exchange that stays open.
 */
import type { Closed, Exchange, FieldsInit } from '../../workers/gateway.ts';
import { readBytes } from '../site/content.ts';
import { type Methods, Refusal, type Resources } from '../site/routing.ts';
import type { Bell } from './bell.ts';
import { MAX_MESSAGE_BYTES, RETRY_AFTER_S } from './limits.ts';
import { type Item, monitor, type Source } from './monitoring.ts';
import { linkOf, prefers, topicOf, ttlOf, urgencyOf } from './requests.ts';
import type { Storage, StoredMessage } from './storage.ts';

const PUSH = 'urn:ietf:params:push';
const SET = 'urn:ietf:params:push:set';
const RECEIPT = 'urn:ietf:params:push:receipt';
const NO_BYTES = new Uint8Array(0);
const RETRY = { 'retry-after': String(RETRY_AFTER_S) };
/** A path that contains a capability. The service has no others. */
const PATH = /^\/notify\/(subscription|set|push|message|receipt)\/([\w-]{1,64})$/;

type Kind = 'subscription' | 'set' | 'push' | 'message' | 'receipt';

export class PushService implements Resources {
  readonly #storage: Storage;
  readonly #bell: Bell;
  /** The resources that are monitored in this thread, and how often each is. */
  readonly #monitored = new Map<string, number>();

  constructor(storage: Storage, bell: Bell) {
    this.#storage = storage;
    this.#bell = bell;
  }

  get(path: string): Methods | undefined {
    if (path === '/notify/subscribe') return { POST: (exchange) => this.#subscribe(exchange) };
    const [, kind, id] = PATH.exec(path) ?? [];
    return id === undefined ? undefined : this.#methods(kind as Kind, id);
  }

  #methods(kind: Kind, id: string): Methods {
    switch (kind) {
      case 'subscription':
        return {
          GET: (exchange) => this.#monitor(exchange, id, this.#storage.subscription(id) !== undefined),
          DELETE: (exchange) => this.#unsubscribe(exchange, id),
        };
      case 'set':
        return { GET: (exchange) => this.#monitor(exchange, id, this.#storage.hasSet(id)) };
      case 'push':
        return { POST: (exchange) => this.#push(exchange, id) };
      case 'message':
        return {
          GET: (exchange) => this.#message(exchange, id),
          DELETE: (exchange) => this.#acknowledge(exchange, id),
        };
      case 'receipt':
        return {
          GET: (exchange) => this.#monitorReceipts(exchange, id),
          DELETE: (exchange) => this.#dropReceiver(exchange, id),
        };
    }
  }

  // ---- section 4: subscribing

  #subscribe(exchange: Exchange): void {
    const wanted = linkOf(exchange.request.fields, SET);
    const made = this.#storage.subscribe(PATH.exec(wanted ?? '')?.[2]);
    if (made === null) throw new Refusal(503, 'There are as many subscriptions as there may be.', RETRY);
    exchange.respond(
      201,
      {
        location: `/notify/subscription/${made.id}`,
        link: [`</notify/push/${made.push}>; rel="${PUSH}"`, `</notify/set/${made.setId}>; rel="${SET}"`],
        'cache-control': 'private, no-store',
      },
      '',
    );
  }

  #unsubscribe(exchange: Exchange, id: string): void {
    const told = this.#storage.unsubscribe(id);
    if (told === null) throw gone('subscription');
    this.#bell.ring(id, ...told);
    noContent(exchange);
  }

  // ---- section 5: sending

  async #push(exchange: Exchange, push: string): Promise<void> {
    const { fields } = exchange.request;
    const subscription = this.#storage.ofPush(push);
    if (subscription === undefined) throw gone('subscription');
    const [ttlS, urgency, topic] = [ttlOf(fields), urgencyOf(fields, 'normal'), topicOf(fields)];
    const receiptId = prefers(fields, 'respond-async') ? this.#receiver(linkOf(fields, RECEIPT)) : null;
    const body = await readBytes(exchange, MAX_MESSAGE_BYTES);
    const type = fields.get('content-type') ?? null;
    const encoding = fields.get('content-encoding') ?? null;
    const message = { ttlS, urgency, topic, type, encoding, receiptId, body };
    const stored = this.#storage.store(subscription.id, message);
    if (stored === 'gone') throw gone('subscription');
    if (stored === 'full')
      throw new Refusal(429, 'The subscription holds as many messages as it may.', RETRY);
    if (stored === 'overfull') throw new Refusal(503, 'The service holds as many messages as it may.', RETRY);
    this.#bell.ring(subscription.id, subscription.setId, ...stored.told);
    // With a receipt, the response only says that the request was accepted, not that it was done (section
    // 5.1).
    exchange.respond(
      receiptId === null ? 201 : 202,
      {
        location: `/notify/message/${stored.id}`,
        ttl: stored.ttlS,
        ...(receiptId === null ? {} : { link: `</notify/receipt/${receiptId}>; rel="${RECEIPT}"` }),
      },
      '',
    );
  }

  /** Returns the receiver that the sender names, if it exists, or a new one. */
  #receiver(named: string | null): string {
    const id = PATH.exec(named ?? '')?.[2];
    if (id !== undefined && this.#storage.hasReceiver(id)) return id;
    const made = this.#storage.createReceiver();
    if (made === null)
      throw new Refusal(503, 'There are as many receipt subscriptions as there may be.', RETRY);
    return made;
  }

  // ---- section 6: receiving

  async #monitor(exchange: Exchange, id: string, exists: boolean): Promise<void> {
    if (!exists) throw gone('subscription');
    const least = urgencyOf(exchange.request.fields, 'very-low');
    const since = this.#storage.lastSeq();
    let after = 0;
    const source: Source = {
      next: () => {
        const message = this.#storage.next(id, after, since, least);
        if (message === undefined) return undefined;
        after = message.seq;
        return itemOf(message);
      },
      // The message stays until it is acknowledged, for the next monitor.
      sent: () => undefined,
      exists: () => this.#storage.subscription(id) !== undefined || this.#storage.hasSet(id),
    };
    await this.#keep(exchange, id, source);
  }

  async #keep(exchange: Exchange, id: string, source: Source): Promise<void> {
    this.#storage.renew(id);
    this.#monitored.set(id, (this.#monitored.get(id) ?? 0) + 1);
    try {
      await monitor(exchange, this.#bell, id, source);
    } finally {
      const others = (this.#monitored.get(id) as number) - 1;
      if (others === 0) this.#monitored.delete(id);
      else this.#monitored.set(id, others);
    }
  }

  /** Renews what is monitored, so that it does not expire. To be called now and then. */
  renewMonitored(): void {
    for (const id of this.#monitored.keys()) this.#storage.renew(id);
  }

  #message(exchange: Exchange, id: string): void {
    const message = this.#storage.message(id);
    if (message === undefined) throw gone('message');
    const { status, fields, body } = itemOf(message);
    exchange.respond(status, fields, body);
  }

  #acknowledge(exchange: Exchange, id: string): void {
    const told = this.#storage.acknowledge(id);
    if (told === undefined) throw gone('message');
    if (told !== null) this.#bell.ring(told);
    noContent(exchange);
  }

  // ---- sections 5.1 and 6.3: receipts

  async #monitorReceipts(exchange: Exchange, id: string): Promise<void> {
    if (!this.#storage.hasReceiver(id)) throw gone('receipt subscription');
    let after = 0;
    const bySent = new Map<Item, number>();
    const source: Source = {
      next: () => {
        const receipt = this.#storage.nextReceipt(id, after);
        if (receipt === undefined) return undefined;
        after = receipt.seq;
        const path = `/notify/message/${receipt.message}`;
        const item = { path, status: receipt.status, fields: {}, body: NO_BYTES };
        bySent.set(item, receipt.seq);
        return item;
      },
      // Receipts are not acknowledged: one has arrived when it was sent completely.
      sent: (item, { how }: Closed) => {
        const seq = bySent.get(item);
        bySent.delete(item);
        if (how === 'complete' && seq !== undefined) this.#storage.dropReceipt(seq);
      },
      exists: () => this.#storage.hasReceiver(id),
    };
    await this.#keep(exchange, id, source);
  }

  #dropReceiver(exchange: Exchange, id: string): void {
    if (!this.#storage.dropReceiver(id)) throw gone('receipt subscription');
    this.#bell.ring(id);
    noContent(exchange);
  }
}

/** Section 6.1: the message as it was sent, and the push resource that it was sent to. */
function itemOf({ id, push, created, type, encoding, body }: StoredMessage): Item {
  const fields: FieldsInit = {
    'cache-control': 'private',
    'last-modified': new Date(1_000 * created).toUTCString(),
    link: `</notify/push/${push}>; rel="${PUSH}"`,
    ...(type === null ? {} : { 'content-type': type }),
    ...(encoding === null ? {} : { 'content-encoding': encoding }),
  };
  return { path: `/notify/message/${id}`, status: 200, fields, body };
}

/** Section 7.3: the same response for what has expired, was deleted, or never existed. */
function gone(what: string): Refusal {
  return new Refusal(404, `There is no such ${what}, or no more.`);
}

function noContent(exchange: Exchange): void {
  exchange.respond(204);
  exchange.end();
}
