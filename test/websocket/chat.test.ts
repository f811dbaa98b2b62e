/** The sample application as `npm start` runs it: rooms with members on several threads. */
import { once } from 'node:events';
import test from 'ava';
import { WebSocket } from 'ws';
import { curl, SampleServer } from '../apps/sample-server.ts';

let server: SampleServer;
test.before(async () => {
  server = await SampleServer.start();
});
test.after.always(() => server?.stop());

interface Heard {
  readonly from: string;
  readonly text: string;
  readonly saidOn: number;
  readonly toldBy: number;
}

/** A member with an open socket, and the messages it receives. */
class Guest {
  readonly socket: WebSocket;
  readonly heard: Heard[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      this.heard.push(JSON.parse(String(data)) as Heard);
      for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  async until(found: (heard: readonly Heard[]) => boolean): Promise<void> {
    while (!found(this.heard)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async hears(text: RegExp): Promise<Heard> {
    await this.until((heard) => heard.some((line) => text.test(line.text)));
    return this.heard.find((line) => text.test(line.text)) as Heard;
  }
}

async function enter(room = 'lobby'): Promise<Guest> {
  const socket = new WebSocket(`ws://${server.authority}/chat/room?name=${room}`, {
    perMessageDeflate: false,
  });
  const guest = new Guest(socket);
  await once(socket, 'open');
  return guest;
}

test.serial(
  'every member hears each message, newcomers included, and a member that leaves is announced',
  async (t) => {
    const first = await enter();
    const name = (await first.hears(/joined/)).text.split(' joined')[0] as string;
    const second = await enter();
    const other = (await first.hears(new RegExp(`^(?!${name} ).* joined`))).text.split(
      ' joined',
    )[0] as string;
    first.socket.send('good morning');
    t.is((await second.hears(/morning/)).from, name);
    t.is((await first.hears(/morning/)).from, name);
    const third = await enter();
    t.is((await third.hears(/morning/)).from, name);
    first.socket.close();
    await second.hears(new RegExp(`^${name} left`));
    second.socket.send(Buffer.from('bytes'));
    const [code, reason] = await once(second.socket, 'close');
    t.is(code, 1003);
    t.is(String(reason), 'lines of text only');
    await third.hears(new RegExp(`^${other} left`));
    third.socket.close();
    await once(third.socket, 'close');
  },
);

test.serial('rooms are separate, and a room that everyone has left is remembered', async (t) => {
  const here = await enter('here');
  const there = await enter('there');
  here.socket.send('only here');
  await here.hears(/only here/);
  there.socket.send('only there');
  await there.hears(/only there/);
  t.false(there.heard.some(({ text }) => text === 'only here'));
  here.socket.close();
  await once(here.socket, 'close');
  const again = await enter('here');
  await again.hears(/only here/);
  again.socket.close();
  there.socket.close();
});

test.serial('an invalid room name is refused', async (t) => {
  const socket = new WebSocket(`ws://${server.authority}/chat/room?name=${'x'.repeat(41)}`);
  socket.on('error', () => undefined);
  const [, response] = await once(socket, 'unexpected-response');
  t.is(response.statusCode, 400);
  socket.terminate();
});

test.serial('a thousand members on both threads hear every line, each sender in order', async (t) => {
  t.timeout(110_000);
  const MEMBERS = 1_000;
  const SENDERS = 20;
  const LINES = 5;
  const members: Guest[] = [];
  while (members.length < MEMBERS) {
    members.push(...(await Promise.all(Array.from({ length: 50 }, () => enter('many')))));
  }
  const said = (heard: readonly Heard[]) => heard.filter(({ text }) => /^\d+ \d+$/.test(text));
  // A member joins the room shortly after its socket has opened.
  await Promise.all(members.map((member) => member.hears(/^welcome/)));
  for (let line = 0; line < LINES; line++) {
    for (let sender = 0; sender < SENDERS; sender++) {
      members[(sender * MEMBERS) / SENDERS]?.socket.send(`${sender} ${line}`);
    }
  }
  await Promise.all(members.map((member) => member.until((heard) => said(heard).length >= SENDERS * LINES)));
  const tellers = new Set<number>();
  for (const { heard } of members) {
    const lines = said(heard);
    t.is(lines.length, SENDERS * LINES, 'none is lost, and none comes twice');
    for (let sender = 0; sender < SENDERS; sender++) {
      const own = lines.map(({ text }) => text.split(' ')).filter(([from]) => from === String(sender));
      if (own.some(([, n], index) => n !== String(index)))
        t.fail(`${sender} out of order: ${own.join(', ')}`);
    }
    for (const { toldBy } of lines) tellers.add(toldBy);
  }
  t.is(tellers.size, 2, 'they are on two threads');
  for (const { socket } of members) socket.terminate();
});

test.serial(
  'a member that does not read is disconnected, and the others stay and miss nothing',
  async (t) => {
    const quick = await enter('slow');
    await quick.hears(/joined/);
    const slow = await enter('slow');
    await slow.hears(/^welcome to slow/);
    slow.socket.pause();
    const pad = 'x'.repeat(4_000);
    const hasLeft = () => quick.heard.some(({ text }) => / left thread/.test(text));
    let sent = 0;
    while (!hasLeft()) {
      for (let i = 0; i < 20; i++) quick.socket.send(`${sent++} ${pad}`);
      await quick.hears(new RegExp(`^${sent - 1} `));
    }
    const numbers = quick.heard.map(({ text }) => /^(\d+) x/.exec(text)?.[1]).filter((n) => n !== undefined);
    t.deepEqual(
      numbers.map(Number),
      Array.from({ length: sent }, (_, n) => n),
    );
    slow.socket.resume();
    const [code, reason] = await once(slow.socket, 'close');
    t.is(code, 1013);
    t.is(String(reason), 'too slow');
    quick.socket.close();
  },
);

test.serial('the page is served, with a policy that covers what it does', async (t) => {
  const page = await curl('--include', `${server.origin}/chat`);
  t.regex(page, /200/);
  t.regex(page, /content-security-policy: .*connect-src 'self'/i);
  t.regex(page, /<title>Chat/);
});

test.serial('a stop closes the members’ sockets with 1001 and does not wait for its deadline', async (t) => {
  const { socket } = await enter();
  const closed = once(socket, 'close');
  t.is(await server.stop(), 0);
  const [code] = await closed;
  t.is(code, 1001);
});
