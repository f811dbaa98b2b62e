/** An actor that answers when the test says `release`. */
import { Signals } from '../../server/signals.ts';

export class Clerk {
  async answer(name: string): Promise<string> {
    const signals = new Signals(name);
    const released = signals.until('release');
    signals.tell('clerk asked');
    await released;
    signals.close();
    return 'at last';
  }
}
