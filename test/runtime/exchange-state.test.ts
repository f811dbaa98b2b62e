import test from 'ava';
import { Deadline } from '../../runtime/deadlines/counters.ts';
import type { Exchange } from '../../runtime/exchange/exchange.ts';
import {
  ExchangeEffect,
  ExchangeInput,
  ExchangeState,
  isAnswering,
  isOver,
  isRequestOpen,
  isUnanswered,
  transition,
} from '../../runtime/exchange/state.ts';
import { Flag, ResetReason } from '../../wire/messages.ts';
import { ExchangeBench } from './exchange-bench.ts';

type StateName = keyof typeof ExchangeState;
type InputName = keyof typeof ExchangeInput;
const states = Object.entries(ExchangeState) as [StateName, ExchangeState][];
const inputs = Object.entries(ExchangeInput) as [InputName, ExchangeInput][];
const stateNames = Object.keys(ExchangeState) as StateName[];

/**
 * The table, written down a second time and by columns: what each pair does. `=X` goes on and leads to X, `AX` is answered by the server
 * and leads to X, `B` breaks off, `S` stops reading, both with nothing left to say; `-` does nothing.
 */
const expected: { readonly [K in InputName]: string } = {
  // OpenUnanswered, OpenAnswering, OpenAnswered, WholeUnanswered, WholeAnswering, WholeAnswered, Finishing, Complete, Cut
  ReceiveContent: '=OpenUnanswered =OpenAnswering =OpenAnswered - - - - - -',
  ReceiveEnd: '=WholeUnanswered =WholeAnswering =WholeAnswered - - - - - -',
  TransportComplete: '=Complete =Complete =Complete =Complete =Complete =Complete =Complete - -',
  TransportReset: '=Cut =Cut =Cut =Cut =Cut =Cut =Cut - -',
  SendInform: '=OpenUnanswered - - =WholeUnanswered - - - - -',
  SendHead: '=OpenAnswering - - =WholeAnswering - - - - -',
  SendWhole: '=OpenAnswered - - =WholeAnswered - - - - -',
  SendContent: '- =OpenAnswering - - =WholeAnswering - - - -',
  SendEnd: '- =OpenAnswered - - =WholeAnswered - - - -',
  SendReset: 'B B - B B - - - -',
  Answer: 'AFinishing - - AWholeAnswered - - - - -',
  Fail: 'AFinishing B - AWholeAnswered B - - - -',
  GiveUp: 'AFinishing B S AWholeAnswered B - - - -',
  Expire: 'AFinishing B B AWholeAnswered B B B - -',
  Abort: 'B B B B B B B - -',
};

const cells = inputs.flatMap(([inputName, input]) => {
  const row = expected[inputName].split(' ');
  return states.map(([stateName, state]) => ({
    inputName,
    input,
    stateName,
    state,
    cell: row[state] as string,
  }));
});

/** What a cell of `expected` says of the state behind it. */
function nextOf(stateName: StateName, cell: string): StateName {
  if (cell === '-') return stateName;
  return cell === 'B' || cell === 'S' ? 'Finishing' : (cell.slice(1) as StateName);
}

test('the table is what is written down here, over the whole product', (t) => {
  t.is(cells.length, 15 * 9);
  for (const { inputName, input, stateName, state, cell } of cells) {
    const { effect, next } = transition(state, input);
    const effects = { '=': 'Proceed', A: 'Answer', B: 'BreakOff', S: 'StopReading', '-': 'Ignore' } as const;
    const name = effects[cell[0] as keyof typeof effects];
    t.is(effect, ExchangeEffect[name], `${inputName} in ${stateName}`);
    t.is(stateNames[next], nextOf(stateName, cell), `${inputName} in ${stateName}`);
  }
});

test('what is asked of a state agrees with what may happen in it', (t) => {
  const proceeds = (state: ExchangeState, input: ExchangeInput) =>
    transition(state, input).effect === ExchangeEffect.Proceed;
  for (const [name, state] of states) {
    t.is(isRequestOpen(state), proceeds(state, ExchangeInput.ReceiveContent), name);
    t.is(isUnanswered(state), proceeds(state, ExchangeInput.SendHead), name);
    t.is(isAnswering(state), proceeds(state, ExchangeInput.SendContent), name);
    t.is(isOver(state), !proceeds(state, ExchangeInput.TransportReset), name);
  }
});

test('from every state but the last two the transport can close the exchange, and from those nothing leads anywhere', (t) => {
  for (const { stateName, input, state } of cells) {
    if (isOver(state)) t.is(transition(state, input).next, state, stateName);
  }
});

/** Brings an exchange of its own into a state. */
const bring: { readonly [K in StateName]: (bench: ExchangeBench) => Exchange } = {
  OpenUnanswered: (bench) => begun(bench, false),
  OpenAnswering: (bench) => answered(begun(bench, false), 0),
  OpenAnswered: (bench) => answered(begun(bench, false), Flag.End),
  WholeUnanswered: (bench) => begun(bench, true),
  WholeAnswering: (bench) => answered(begun(bench, true), 0),
  WholeAnswered: (bench) => answered(begun(bench, true), Flag.End),
  Finishing: (bench) => {
    const exchange = begun(bench, false);
    exchange.answer(503);
    return exchange;
  },
  Complete: (bench) => {
    const exchange = bring.WholeAnswered(bench);
    exchange.onTransportClosed(false, 0, false);
    return exchange;
  },
  Cut: (bench) => {
    const exchange = begun(bench, false);
    exchange.onTransportClosed(true, 8, true);
    return exchange;
  },
};

function begun(bench: ExchangeBench, requestEnded: boolean): Exchange {
  bench.addThread();
  const exchange = bench.exchange(requestEnded, 'POST');
  bench.atThread();
  return exchange;
}

function answered(exchange: Exchange, flags: number): Exchange {
  exchange.job.onHead(flags, 200, [], NOTHING, 0, 0);
  return exchange;
}

const NOTHING = Buffer.alloc(0);
const byte = Buffer.from('x');

/** Everything that is such an input. */
const happen: { readonly [K in InputName]: readonly ((exchange: Exchange) => void)[] } = {
  ReceiveContent: [(exchange) => exchange.onRequestData(byte, 0, 1, false)],
  ReceiveEnd: [(exchange) => exchange.onRequestData(byte, 0, 1, true)],
  TransportComplete: [(exchange) => exchange.onTransportClosed(false, 0, false)],
  TransportReset: [(exchange) => exchange.onTransportClosed(true, 8, true)],
  SendInform: [(exchange) => exchange.job.onInform(103, [])],
  SendHead: [(exchange) => exchange.job.onHead(0, 200, [], NOTHING, 0, 0)],
  SendWhole: [(exchange) => exchange.job.onHead(Flag.End, 200, [], NOTHING, 0, 0)],
  SendContent: [(exchange) => exchange.job.onData(0, byte, 0, 1)],
  SendEnd: [
    (exchange) => exchange.job.onData(Flag.End, byte, 0, 1),
    (exchange) => exchange.job.onTrailers(['a', '1']),
  ],
  SendReset: [(exchange) => exchange.job.onReset(8, ResetReason.Application)],
  Answer: [(exchange) => exchange.answer(503), (exchange) => exchange.job.onRefused('queue-full', 0)],
  Fail: [(exchange) => exchange.job.onReset(2, ResetReason.Threw), (exchange) => exchange.job.onOverrun()],
  GiveUp: [(exchange) => exchange.job.onReleased()],
  Expire: [(exchange) => exchange.createWatch().onDeadline(Deadline.Exchange)],
  Abort: [
    (exchange) => exchange.createWatch().onDeadline(Deadline.Drain),
    (exchange) => exchange.createWatch().onDeadline(Deadline.ResponseRate),
  ],
};

/** What goes on to the transport; what was received goes to the thread. */
const goesOn: { readonly [K in InputName]?: readonly string[] } = {
  SendInform: ['inform'],
  SendHead: ['respond'],
  SendWhole: ['respond'],
  SendContent: ['write'],
  SendEnd: ['write', 'trailers'],
};

for (const { inputName, stateName, cell } of cells) {
  test(`an exchange that is ${stateName} does what the table says: ${inputName} is ${cell}`, (t) => {
    for (const [way, make] of happen[inputName].entries()) {
      const bench = new ExchangeBench();
      const exchange = bring[stateName](bench);
      const { transport } = bench;
      const { outcomes } = exchange.destination;
      const counted = () => Object.values(outcomes).reduce((sum, count) => sum + count, 0);
      transport.calls.length = 0;
      transport.consumedBytes = 0;
      const before = counted();
      make(exchange);

      t.is(stateNames[progressOf(exchange)], nextOf(stateName, cell));
      const isUnread = stateName === 'OpenUnanswered';
      const answer = isUnread ? ['respond', 'write', 'stopReading'] : ['respond', 'write'];
      const proceeds = goesOn[inputName]?.[way];
      const calls = {
        '=': proceeds === undefined ? [] : [proceeds],
        A: answer,
        B: ['reset'],
        S: ['stopReading'],
      };
      t.deepEqual(
        transport.calls.map(([call]) => call),
        calls[cell[0] as keyof typeof calls] ?? [],
      );
      const isEnd = inputName === 'TransportComplete' || inputName === 'TransportReset';
      t.is(counted() - before, isEnd && cell !== '-' ? 1 : 0, 'it is counted when it is over');
      const isReceived = inputName === 'ReceiveContent' || inputName === 'ReceiveEnd';
      t.is(transport.consumedBytes, isReceived && cell === '-' ? 1 : 0, 'what nobody reads is consumed');
    }
  });
}

function progressOf(exchange: Exchange): ExchangeState {
  return (exchange as unknown as { readonly progress: ExchangeState }).progress;
}
