/**
 * Whose context each event of an exchange runs in. A listener may find what its own exchange has entered, or nothing: what Node's lines give it
 * is not the same. What another exchange has entered it must not find.
 */
import { Signals } from '../../../server/signals.ts';
import { enter, session } from './session.ts';

export class Watch {
  readonly #user: string;
  readonly #foreign: string[] = [];
  #events = 0;

  constructor(user: string | undefined) {
    this.#user = user ?? 'somebody';
    if (!/^nobody /.test(enter(user))) this.#foreign.push('the beginning');
  }

  /** Looks, and leaves another context behind for whoever comes next. */
  readonly see = (event: string): void => {
    this.#events++;
    const found = session.getStore();
    const isOwn = found === undefined || found === this.#user || found.endsWith(` of ${this.#user}`);
    if (!isOwn) this.#foreign.push(`${event}: ${found}`);
    session.enterWith(`${event} of ${this.#user}`);
  };

  /** How many events were seen, and which were somebody else's. */
  get verdict(): string {
    return this.#foreign.length === 0 ? `${this.#events > 0 ? 'own' : 'none'}` : this.#foreign.join(', ');
  }

  /** Tells the verdict on a channel. */
  tell(channel: string): void {
    const signals = new Signals(channel);
    signals.tell(this.verdict);
    signals.tell('told');
    signals.close();
  }
}
