/** The sample application, as `npm start` runs it. */
import { once } from 'node:events';
import test from 'ava';
import { WebSocket } from 'ws';
import { Room } from '../../apps/chat/room.ts';
import { curl, SampleServer } from '../apps/sample-server.ts';

let server: SampleServer;
test.before(async () => {
  server = await SampleServer.start();
});
test.after.always(() => server?.stop());

/** A member that has come in, and the lines that it hears. */
async function enter() {
  const socket = new WebSocket(`ws://${server.authority}/chat/room`);
  const heard: string[] = [];
  const waiting: (() => void)[] = [];
  socket.on('message', (data) => {
    heard.push(String(data));
    for (const resolve of waiting.splice(0)) resolve();
  });
  const until = async (line: RegExp): Promise<string> => {
    for (;;) {
      const found = heard.find((one) => line.test(one));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  await once(socket, 'open');
  return { socket, heard, until };
}

test.serial('what one member says all hear, newcomers as well, and who leaves is missed', async (t) => {
  const first = await enter();
  const name = (await first.until(/came in/)).split(' came')[0];
  const second = await enter();
  await second.until(/came in; 2 are here/);
  first.socket.send('good morning');
  t.is(await second.until(/morning/), `${name}: good morning`);
  t.is(await first.until(/morning/), `${name}: good morning`);
  const third = await enter();
  t.is(await third.until(/morning/), `${name}: good morning`);
  first.socket.close();
  await second.until(new RegExp(`^${name} left; 2 are here`));
  second.socket.send(Buffer.from('bytes'));
  const [code, reason] = await once(second.socket, 'close');
  t.is(code, 1003);
  t.is(String(reason), 'lines of text only');
  third.socket.close();
  await once(third.socket, 'close');
});

test.serial('the page is served, and says what it does in its policy', async (t) => {
  const page = await curl('--include', `${server.origin}/chat`);
  t.regex(page, /200/);
  t.regex(page, /content-security-policy: .*connect-src 'self'/i);
  t.regex(page, /<title>Chat/);
});

test.serial('a stop tells the members with 1001 and does not wait for its deadline', async (t) => {
  const { socket } = await enter();
  const closed = once(socket, 'close');
  t.is(await server.stop(), 0);
  const [code] = await closed;
  t.is(code, 1001);
});

test('a member whose socket keeps no more has to go, and the others stay', async (t) => {
  const room = new Room();
  const closed: unknown[] = [];
  const slow = {
    send: () => Promise.reject(new Error('full')),
    close: (...how: unknown[]) => closed.push(how),
  };
  const lines: string[] = [];
  const quick = { send: async (line: string) => void lines.push(line), close: () => t.fail() };
  room.enter(quick);
  room.enter(slow);
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(closed[0], [1013, 'too slow']);
  room.say('guest 1', 'still here');
  t.is(lines.at(-1), 'guest 1: still here');
});
