/** A host on a real channel, both ends driven by hand in one thread. */
import { type ChannelOptions, createChannel } from '../../wire/channel.ts';
import { Flag } from '../../wire/messages.ts';
import { Vitals } from '../../wire/vitals.ts';
import type { Application } from '../../workers/gateway.ts';
import { Host } from '../../workers/thread/host.ts';
import { ManualLoop, settle } from '../runtime/model/manual-loop.ts';
import { type Received, recordReactor } from '../wire/record.ts';

export const loop = new ManualLoop();
loop.install();

export function start(application: Application, channel: ChannelOptions = {}) {
  loop.clear();
  const received: Received[] = [];
  const failures: unknown[] = [];
  const { reactor, transfer } = createChannel(recordReactor(received), channel);
  const options = {
    application: 'file:///scripted',
    pool: 'scripted',
    requestWindowBytes: 100,
    creditEveryBytes: 25,
    responseWindowBytes: 10_000,
    writeBacklogBytes: 100_000,
  };
  const host = new Host(application, transfer, options, { onFailure: (error) => failures.push(error) });
  reactor.unref();
  transfer.port.unref();
  const open = (slot: number, flags: number = Flag.End, path = '/') => {
    const generation = reactor.claims.queue(slot);
    const sent = reactor.sendOpen(slot, generation, flags, 'GET', 'http', 'h', path, '2', '', 0, 0, [], '');
    reactor.publish();
    return sent;
  };
  /** One turn of the host, and what the reactor hears of it by the next. */
  const turn = async () => {
    reactor.publish();
    // As the doorbell would, if it is asleep.
    host.onWake();
    loop.runAll();
    await settle();
    loop.runAll();
    await settle();
    const from = received.length;
    reactor.receive(1000);
    return received.slice(from);
  };
  return { host, reactor, received, failures, open, turn, vitals: new Vitals(transfer.vitals) };
}
