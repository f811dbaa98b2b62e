/**
 * `stream.session`: the connection of an exchange, in the form of a node:http2 session. The reactor owns the connection and other exchanges
 * share it. A method that would act on it therefore fails the exchange by name, or has no effect.
 */
import { EventEmitter } from 'node:events';
import { SocketError } from './refused-members.ts';
import type { ExchangeSocket } from './socket.ts';

const REFUSED = ['altsvc', 'goaway', 'origin', 'ping', 'setLocalWindowSize', 'setNextStreamID', 'settings'];

export interface SessionOwner {
  readonly socket: ExchangeSocket;
  fail(error: unknown): void;
}

export class Http2SessionFace extends EventEmitter {
  readonly #owner: SessionOwner;
  /** `http2.constants.NGHTTP2_SESSION_SERVER`. */
  readonly type = 0;
  readonly connecting = false;
  readonly pendingSettingsAck = false;

  constructor(owner: SessionOwner) {
    super();
    this.#owner = owner;
    owner.socket.once('close', () => this.emit('close'));
  }

  get socket(): ExchangeSocket {
    return this.#owner.socket;
  }
  get server(): object | null {
    return this.socket.server;
  }
  get encrypted(): boolean {
    return this.socket.encrypted === true;
  }
  get alpnProtocol(): string {
    return this.encrypted ? 'h2' : 'h2c';
  }
  get closed(): boolean {
    return this.socket.destroyed;
  }
  get destroyed(): boolean {
    return this.socket.destroyed;
  }
  get localSettings(): object {
    return {};
  }
  get remoteSettings(): object {
    return {};
  }
  get state(): object {
    return {};
  }

  /** Does not close the connection; the reactor does that when it drains. */
  close(callback?: () => void): void {
    if (typeof callback === 'function') this.once('close', callback);
  }
  /** Ends this exchange, and no other stream of the connection. */
  destroy(error?: Error): void {
    this.socket.destroy(error);
  }
  setTimeout(): this {
    return this;
  }
  ref(): void {}
  unref(): void {}

  static {
    for (const member of REFUSED) {
      const value = function (this: Http2SessionFace): boolean {
        this.#owner.fail(new SocketError(member, 'session'));
        return false;
      };
      Object.defineProperty(Http2SessionFace.prototype, member, {
        value,
        configurable: true,
        writable: true,
      });
    }
  }
}
