/**
 * The push service's data, in one SQLite file that its threads share. A call that returns has committed. So
 * whatever the sender was told survives a crash of the thread or a restart of the server.
 *
 * Rows are numbered in the order of their commit, so a monitor remembers one number and not everything it has
 * seen. The receivers to wake are returned and never called back. Otherwise a monitor on another thread could
 * look before the commit, see nothing, and sleep, and would never be woken.
 */
import { randomBytes } from 'node:crypto';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  MAX_MESSAGES,
  MAX_MESSAGES_PER_SUBSCRIPTION,
  MAX_RECEIPTS,
  MAX_SUBSCRIPTIONS,
  MAX_TTL_S,
  SUBSCRIPTION_S,
  TRANSIENT_S,
} from './limits.ts';

export interface Subscription {
  readonly id: string;
  /** The sender's capability, which does not reveal the receiver's. */
  readonly push: string;
  readonly setId: string;
}

export interface NewMessage {
  readonly ttlS: number;
  /** 0 very-low to 3 high. */
  readonly urgency: number;
  readonly topic: string | null;
  readonly type: string | null;
  readonly encoding: string | null;
  readonly receiptId: string | null;
  readonly body: Uint8Array;
}

export interface StoredMessage {
  readonly seq: number;
  readonly id: string;
  readonly push: string;
  readonly created: number;
  readonly type: string | null;
  readonly encoding: string | null;
  readonly body: Uint8Array;
}

export interface Receipt {
  readonly seq: number;
  readonly message: string;
  /** 204 acknowledged, 410 expired (section 6.3). */
  readonly status: number;
}

export interface StoredAs {
  readonly id: string;
  readonly ttlS: number;
  /** Receivers that have a receipt to fetch for the message that was replaced. */
  readonly told: readonly string[];
}

/**
 * `full`: this subscription; `overfull`: all together; `gone`: the subscription does not exist. A refusal
 * changes nothing.
 */
export type Stored = StoredAs | 'full' | 'overfull' | 'gone';

const SCHEMA = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
CREATE TABLE IF NOT EXISTS subscriptions (
  id TEXT PRIMARY KEY, push TEXT NOT NULL UNIQUE, setId TEXT NOT NULL, expires INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS bySet ON subscriptions (setId);
CREATE TABLE IF NOT EXISTS receivers (id TEXT PRIMARY KEY, expires INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS messages (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  subscription TEXT NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
  topic TEXT, urgency INTEGER NOT NULL, type TEXT, encoding TEXT, receiptId TEXT, body BLOB NOT NULL,
  ttl INTEGER NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS bySubscription ON messages (subscription, seq);
CREATE INDEX IF NOT EXISTS byExpiry ON messages (expires);
CREATE TABLE IF NOT EXISTS receipts (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, receiver TEXT NOT NULL REFERENCES receivers ON DELETE CASCADE,
  message TEXT NOT NULL, status INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS byReceiver ON receipts (receiver, seq);
`;

/** 192 bits: anyone who knows it may use it (section 8.3). */
function capability(): string {
  return randomBytes(24).toString('base64url');
}

export class Storage {
  readonly #database: DatabaseSync;
  readonly #now: () => number;
  readonly #statements = new Map<string, StatementSync>();

  /** @param now seconds since 1970 */
  constructor(file: string, now: () => number = () => Math.floor(Date.now() / 1000)) {
    this.#now = now;
    // Threads wait for each other's commits, which are short.
    this.#database = new DatabaseSync(file, { timeout: 5_000 });
    this.#database.exec(SCHEMA);
  }

  close(): void {
    this.#database.close();
  }

  /**
   * @param setId a set that the new subscription joins, if it exists
   * @returns null if there are too many
   */
  subscribe(setId?: string): Subscription | null {
    return this.#transaction(() => {
      const { count } = this.#one('SELECT count(*) AS count FROM subscriptions') as { count: number };
      if (count >= MAX_SUBSCRIPTIONS) return null;
      const joined = setId !== undefined && this.hasSet(setId) ? setId : capability();
      const made = { id: capability(), push: capability(), setId: joined };
      this.#run(
        'INSERT INTO subscriptions VALUES (?, ?, ?, ?)',
        made.id,
        made.push,
        made.setId,
        this.#now() + SUBSCRIPTION_S,
      );
      return made;
    });
  }

  subscription(id: string): Subscription | undefined {
    return this.#subscription('id', id);
  }

  ofPush(push: string): Subscription | undefined {
    return this.#subscription('push', push);
  }

  hasSet(setId: string): boolean {
    return this.#subscription('setId', setId) !== undefined;
  }

  /** Renews a monitored subscription, all of a set, or a receiver. */
  renew(id: string): void {
    const now = this.#now();
    this.#run(
      'UPDATE subscriptions SET expires = ?1 + ?2 WHERE (id = ?3 OR setId = ?3) AND expires > ?1',
      now,
      SUBSCRIPTION_S,
      id,
    );
    this.#run(
      'UPDATE receivers SET expires = ?1 + ?2 WHERE id = ?3 AND expires > ?1',
      now,
      SUBSCRIPTION_S,
      id,
    );
  }

  /**
   * Removes a subscription and its messages.
   * @returns receivers that have a receipt to fetch; null: there was no such subscription
   */
  unsubscribe(id: string): string[] | null {
    return this.#transaction(() => {
      const told = this.#drop('subscription = ?', id);
      return this.#run('DELETE FROM subscriptions WHERE id = ?', id) > 0 ? told : null;
    });
  }

  /** Returns false if there was none. */
  dropReceiver(id: string): boolean {
    return this.#run('DELETE FROM receivers WHERE id = ?', id) > 0;
  }

  /** @returns null if there are too many */
  createReceiver(): string | null {
    const id = capability();
    const made = this.#run(
      'INSERT INTO receivers SELECT ?, ? WHERE (SELECT count(*) FROM receivers) < ?',
      id,
      this.#now() + SUBSCRIPTION_S,
      MAX_SUBSCRIPTIONS,
    );
    return made > 0 ? id : null;
  }

  hasReceiver(id: string): boolean {
    return this.#one('SELECT 1 FROM receivers WHERE id = ? AND expires > ?', id, this.#now()) !== undefined;
  }

  /**
   * Stores a message. An unacknowledged message of the same topic is replaced (section 5.4); if its sender
   * asked for a receipt, the receipt says 410.
   */
  store(subscription: string, message: NewMessage): Stored {
    return this.#transaction(() => {
      const now = this.#now();
      if (
        this.#one('SELECT 1 FROM subscriptions WHERE id = ? AND expires > ?', subscription, now) === undefined
      )
        return 'gone';
      const { own, all } = this.#one(
        `SELECT count(*) FILTER (WHERE subscription = ?1) AS own, count(*) AS "all" FROM messages
         WHERE ?2 IS NULL OR subscription <> ?1 OR topic IS NOT ?2`,
        subscription,
        message.topic,
      ) as { own: number; all: number };
      if (own >= MAX_MESSAGES_PER_SUBSCRIPTION) return 'full';
      if (all >= MAX_MESSAGES) return 'overfull';
      const told =
        message.topic === null
          ? []
          : this.#drop('subscription = ? AND topic = ?', subscription, message.topic);
      const id = capability();
      const ttlS = Math.min(message.ttlS, MAX_TTL_S);
      this.#run(
        `INSERT INTO messages (id, subscription, topic, urgency, type, encoding, receiptId, body, ttl, created, expires)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        subscription,
        message.topic,
        message.urgency,
        message.type,
        message.encoding,
        message.receiptId,
        message.body,
        ttlS,
        now,
        now + (ttlS === 0 ? TRANSIENT_S : ttlS),
      );
      return { id, ttlS, told };
    });
  }

  /** The number of the latest message that was ever stored. */
  lastSeq(): number {
    const row = this.#one("SELECT seq FROM sqlite_sequence WHERE name = 'messages'");
    return row === undefined ? 0 : (row as { seq: number }).seq;
  }

  /**
   * The next message for a monitor of a subscription or a set.
   * @param since messages with TTL 0 are only for those who monitored before them: from this number on
   */
  next(id: string, after: number, since: number, urgency: number): StoredMessage | undefined {
    return this.#one(
      `SELECT m.seq, m.id, m.created, m.type, m.encoding, m.body, s.push
       FROM subscriptions s JOIN messages m ON m.subscription = s.id
       WHERE (s.id = ?1 OR s.setId = ?1) AND m.seq > ?2 AND (m.ttl > 0 OR m.seq > ?3) AND m.urgency >= ?4
         AND m.expires > ?5 AND s.expires > ?5 ORDER BY m.seq LIMIT 1`,
      id,
      after,
      since,
      urgency,
      this.#now(),
    ) as StoredMessage | undefined;
  }

  /**
   * The user agent has the message (section 6.2).
   * @returns the receiver to notify; null: none; undefined: no such message
   */
  acknowledge(id: string): string | null | undefined {
    return this.#transaction(() => {
      const row = this.#one(
        'DELETE FROM messages WHERE id = ? AND expires > ? RETURNING receiptId',
        id,
        this.#now(),
      ) as { receiptId: string | null } | undefined;
      if (row?.receiptId) this.#receipt(row.receiptId, id, 204);
      return row?.receiptId ?? (row === undefined ? undefined : null);
    });
  }

  nextReceipt(receiver: string, after: number): Receipt | undefined {
    return this.#one(
      'SELECT seq, message, status FROM receipts WHERE receiver = ? AND seq > ? ORDER BY seq LIMIT 1',
      receiver,
      after,
    ) as Receipt | undefined;
  }

  /** The receipt has reached the application server. */
  dropReceipt(seq: number): void {
    this.#run('DELETE FROM receipts WHERE seq = ?', seq);
  }

  /** One message, for the peer that was promised it. */
  message(id: string): StoredMessage | undefined {
    return this.#one(
      `SELECT m.seq, m.id, m.created, m.type, m.encoding, m.body, s.push FROM messages m
       JOIN subscriptions s ON m.subscription = s.id WHERE m.id = ?1 AND m.expires > ?2 AND s.expires > ?2`,
      id,
      this.#now(),
    ) as StoredMessage | undefined;
  }

  /**
   * Removes what has expired.
   * @returns the identifiers to wake: monitors of removed resources, and receivers that have a receipt to
   * fetch
   */
  sweep(): string[] {
    return this.#transaction(() => {
      const now = this.#now();
      const told = this.#drop(
        'expires <= ?1 OR subscription IN (SELECT id FROM subscriptions WHERE expires <= ?1)',
        now,
      );
      for (const table of ['subscriptions', 'receivers']) {
        const gone = this.#statement(`DELETE FROM ${table} WHERE expires <= ? RETURNING id`).all(now);
        told.push(...(gone as unknown as { id: string }[]).map(({ id }) => id));
      }
      return told;
    });
  }

  /**
   * Removes messages that will never be acknowledged.
   * @returns receivers that have a receipt to fetch for them
   */
  #drop(where: string, ...values: SQLInputValue[]): string[] {
    const gone = this.#statement(`DELETE FROM messages WHERE ${where} RETURNING id, receiptId`).all(
      ...values,
    ) as unknown as { id: string; receiptId: string | null }[];
    const told = new Set<string>();
    for (const { id, receiptId } of gone) {
      if (receiptId === null) continue;
      this.#receipt(receiptId, id, 410);
      told.add(receiptId);
    }
    return [...told];
  }

  #receipt(receiver: string, message: string, status: number): void {
    this.#run(
      `INSERT INTO receipts (receiver, message, status) SELECT ?1, ?2, ?3
       WHERE EXISTS (SELECT 1 FROM receivers WHERE id = ?1)
         AND (SELECT count(*) FROM receipts WHERE receiver = ?1) < ?4`,
      receiver,
      message,
      status,
      MAX_RECEIPTS,
    );
  }

  #subscription(column: 'id' | 'push' | 'setId', value: string): Subscription | undefined {
    return this.#one(
      `SELECT id, push, setId FROM subscriptions WHERE ${column} = ? AND expires > ? LIMIT 1`,
      value,
      this.#now(),
    ) as Subscription | undefined;
  }

  #one(sql: string, ...values: SQLInputValue[]): unknown {
    return this.#statement(sql).get(...values);
  }

  #run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  /** Compiled once; the texts are those in this file. */
  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Takes the writer's lock from the start, so that what was read is still true when it writes. */
  #transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}
