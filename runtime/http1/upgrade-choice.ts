/**
 * Lets each request decide whether Node leaves HTTP behind for it, on every version of Node. From 24.9 and 22.21 on
 * `shouldUpgradeCallback` does; before, a listener for 'upgrade' is asked for every request that has an Upgrade field, h2c
 * among them, and there is no way back. There the message class answers instead: Node reads its `upgrade` when the head is
 * complete, and takes the message for an ordinary one when that is false.
 */
import type * as Http from 'node:http';
import type { IncomingMessage, ServerOptions } from 'node:http';

type Chooser = (request: IncomingMessage) => boolean;

/** What has been said about a message: by the parser, and by us. */
const asked = Symbol('asked');
const granted = Symbol('granted');

export function upgradeOptions(http: typeof Http, choose: Chooser): ServerOptions {
  if ('shouldUpgradeCallback' in http.createServer()) return { shouldUpgradeCallback: choose };

  class ChoosingMessage extends http.IncomingMessage {
    declare [asked]: boolean | null;
    declare [granted]: boolean | undefined;

    // Node's constructor and parser assign it, so there is no field of that name on the instance.
    get upgrade(): boolean | null {
      if (this[asked] !== true || this.method === 'CONNECT') return this[asked];
      this[granted] ??= choose(this);
      return this[granted];
    }

    set upgrade(value: boolean | null) {
      this[asked] = value;
    }
  }
  return { IncomingMessage: ChoosingMessage };
}
