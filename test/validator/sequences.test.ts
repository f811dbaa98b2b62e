/**
 * Any legal order of calls (docs/sgi.md, section 2) passes the validator, and one illegal call anywhere in it
 * does not.
 */
import test from 'ava';
import fc from 'fast-check';
import type { Exchange } from '../../workers/gateway.ts';
import { type Violation, validate } from '../../workers/validator/validate.ts';
import { MemoryExchange } from '../apps/memory-exchange.ts';

type Call = (exchange: Exchange) => unknown;
type State = 'idle' | 'started' | 'ended';

const inform: Call = (exchange) => exchange.inform(103);
const push: Call = (exchange) => exchange.push({ path: '/pushed' });
const write: Call = (exchange) => exchange.write('piece');
const respond: Call = (exchange) => exchange.respond(200);
const whole: Call = (exchange) => exchange.respond(200, {}, 'whole');
const end: Call = (exchange) => exchange.end();
const read: Call = (exchange) => [exchange.request.path, exchange.capabilities.push, exchange.writableBytes];

/** Derived by hand from the text, not from the validator's own table. */
const ILLEGAL: { readonly [state in State]: readonly [rule: string, call: Call][] } = {
  idle: [
    ['2.3', write],
    ['2.3', end],
  ],
  started: [
    ['2.1', inform],
    ['2.2', respond],
    ['2.2', whole],
  ],
  ended: [
    ['2.1', inform],
    ['2.2', respond],
    ['2.2', whole],
    ['2.3', write],
    ['2.3', end],
    ['2.4', push],
  ],
};

interface Step {
  readonly call: Call;
  /** The state of the response after the call. */
  readonly state: State;
}

const steps = (state: State, ...calls: readonly Call[]) =>
  fc.array(fc.constantFrom(...calls), { maxLength: 6 }).map((all) => all.map((call) => ({ call, state })));

const streamed = steps('started', write, push, read).map((middle): Step[] => [
  { call: respond, state: 'started' },
  ...middle,
  { call: end, state: 'ended' },
]);
const legal = fc
  .tuple(
    steps('idle', inform, push, read),
    fc.oneof(fc.constant<Step[]>([{ call: whole, state: 'ended' }]), streamed),
    steps('ended', read),
  )
  .map((parts): Step[] => parts.flat());

async function found(calls: readonly Call[]): Promise<string[]> {
  const violations: Violation[] = [];
  const application = validate(
    async (exchange) => {
      for (const call of calls) await call(exchange);
    },
    { onViolation: (violation) => violations.push(violation) },
  );
  await Promise.resolve(application(new MemoryExchange({ path: '/' }))).catch(() => undefined);
  return violations.map(({ side, rule }) => `${side} ${rule}`);
}

test('property: no legal order of calls is a violation', async (t) => {
  await fc.assert(
    fc.asyncProperty(legal, async (sentence) => {
      t.deepEqual(await found(sentence.map(({ call }) => call)), []);
    }),
  );
});

test('property: one illegal call, anywhere in a legal order, is a violation of its rule', async (t) => {
  await fc.assert(
    fc.asyncProperty(legal, fc.nat(), fc.nat(), async (sentence, place, choice) => {
      const at = place % (sentence.length + 1);
      const wrongs = ILLEGAL[sentence[at - 1]?.state ?? 'idle'];
      const [rule, wrong] = wrongs[choice % wrongs.length] as [string, Call];
      const calls = sentence.map(({ call }) => call);
      // Its error is ignored, so that the rest of the sequence runs and must cause no violation.
      const unheard: Call = async (exchange) => {
        try {
          await wrong(exchange);
        } catch {
          // Reported through `onViolation`.
        }
      };
      t.deepEqual(await found(calls.toSpliced(at, 0, unheard)), [`application ${rule}`]);
    }),
  );
});
