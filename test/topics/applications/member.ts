/**
 * Publishes and subscribes as a test says: the body is a JSON list of what to do, one after the other, and the answer what came of each.
 * Subscriptions stay from request to request, by the name that the test gives them.
 */
import { type Subscription, type TopicError, topic, type WhenFull } from '../../../workers/actors/actors.ts';
import type { Exchange } from '../../../workers/gateway.ts';
import { Signals } from '../../server/signals.ts';

export type Step =
  | {
      readonly subscribe: string;
      readonly topic: string;
      readonly capacity?: number;
      readonly whenFull?: string;
    }
  /** Messages `{ from, n, pad }` for n from 0 on. `together`: none is awaited before the next. */
  | {
      readonly publish: string;
      readonly from: string;
      readonly count: number;
      readonly first?: number;
      readonly padBytes?: number;
      readonly together?: boolean;
    }
  | { readonly value: string; readonly topic: string }
  /** So many messages, or what there is until the subscription ends. */
  | { readonly take: string; readonly count: number }
  /** Messages until one of this number. */
  | { readonly until: string; readonly n: number }
  | { readonly missed: string }
  | { readonly close: string }
  /** Holds the thread, as a computation does. */
  | { readonly block: string; readonly word: string }
  /** Ends the thread. */
  | { readonly exit: number };

export interface Message {
  readonly from: string;
  readonly n: number;
}

export interface Told {
  readonly value?: unknown;
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean };
}

const subscriptions = new Map<string, Subscription<Message>>();

export default async function member(exchange: Exchange): Promise<void> {
  const steps = JSON.parse(await exchange.body.text()) as Step[];
  const told: Told[] = [];
  for (const step of steps) told.push(await outcomeOf(step));
  exchange.respond(200, { 'content-type': 'application/json' }, JSON.stringify(told));
}

/** A subscription that a lifespan hook makes. */
export async function start(): Promise<void> {
  const early = topic<Message>('early').subscribe();
  subscriptions.set('early', early);
  await early.ready;
}

async function outcomeOf(step: Step): Promise<Told> {
  try {
    return { value: await run(step) };
  } catch (error) {
    const { code, message, retryable } = error as TopicError;
    return { error: { code, message, retryable } };
  }
}

async function run(step: Step): Promise<unknown> {
  if ('subscribe' in step) {
    const { subscribe: name, topic: about, capacity, whenFull } = step;
    const subscription = topic<Message>(about).subscribe({
      ...(capacity !== undefined && { capacity }),
      ...(whenFull !== undefined && { whenFull: whenFull as WhenFull }),
    });
    subscriptions.set(name, subscription);
    await subscription.ready;
    return null;
  }
  if ('publish' in step) return await publish(step);
  if ('value' in step) {
    await topic<unknown>(step.topic).publish(VALUES[step.value]?.());
    return null;
  }
  if ('take' in step) return await taken(named(step.take), step.count, () => false);
  if ('until' in step) return await taken(named(step.until), Infinity, ({ n }) => n === step.n);
  if ('missed' in step) return named(step.missed).missed;
  if ('close' in step) {
    named(step.close).close();
    return null;
  }
  if ('exit' in step) process.exit(step.exit);
  const signals = new Signals(step.block);
  signals.tell(`${step.word}-begun`);
  signals.blockUntil(step.word);
  signals.close();
  return null;
}

const VALUES: { readonly [name: string]: () => unknown } = {
  rich: () => ({ from: new Map([['set', new Set([1n, -0])]]), n: new Date(5) }),
  function: () => ({ inner: [() => 1] }),
  large: () => 'x'.repeat(100_000),
};

function named(name: string): Subscription<Message> {
  const subscription = subscriptions.get(name);
  if (subscription === undefined) throw new Error(`no subscription is called ${name}`);
  return subscription;
}

async function publish({
  publish: about,
  from,
  count,
  first = 0,
  padBytes = 0,
  together = false,
}: Extract<Step, { publish: string }>): Promise<{ sent: number; refused: string[] }> {
  const to = topic<Message & { pad: string }>(about);
  const pad = 'x'.repeat(padBytes);
  const refused: string[] = [];
  let sent = 0;
  const settled: Promise<void>[] = [];
  for (let n = first; n < first + count; n++) {
    const done = to.publish({ from, n, pad }).then(
      () => {
        sent++;
      },
      (error: TopicError) => {
        refused.push(`${error.code} ${error.retryable}`);
      },
    );
    if (together) settled.push(done);
    else await done;
  }
  await Promise.all(settled);
  return { sent, refused };
}

async function taken(
  subscription: Subscription<Message>,
  most: number,
  isLast: (message: Message) => boolean,
): Promise<{ messages: Message[]; ended?: true; failed?: string }> {
  const messages: Message[] = [];
  try {
    while (messages.length < most) {
      const { done, value } = await subscription.next();
      if (done === true) return { messages, ended: true };
      messages.push({ from: value.from, n: value.n });
      if (isLast(value)) break;
    }
  } catch (error) {
    return { messages, failed: (error as TopicError).code };
  }
  return { messages };
}
