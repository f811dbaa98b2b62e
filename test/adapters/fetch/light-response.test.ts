/** A light response is what the platform makes of the same arguments, or is refused as the platform refuses them. */
import test from 'ava';
import {
  LightResponse,
  PlatformResponse,
  type ResponseBody,
} from '../../../workers/adapters/fetch/light-response.ts';

interface Made {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

async function made(make: () => Response): Promise<Made | string> {
  let response: Response;
  try {
    response = make();
  } catch (error) {
    return (error as Error).name;
  }
  const { status, statusText, headers } = response;
  return { status, statusText, headers: [...headers], body: await response.text() };
}

/** What is sent of a light response, in the order in which the platform gives its headers. */
function sentOf(response: LightResponse): Made | null {
  if (!response.isLight) return null;
  const headers: [string, string][] = [];
  for (let i = 0; i < response.flat.length; i += 2) headers.push([response.flat[i], response.flat[i + 1]]);
  headers.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  const body = response.simpleBody ?? '';
  return { status: response.status, statusText: '', headers, body: Buffer.from(body).toString() };
}

const BODIES: readonly unknown[] = [undefined, null, '', 'text', Buffer.from('bytes')];
const INITS: { readonly [what: string]: unknown } = {
  nothing: undefined,
  'no members': {},
  'a status': { status: 404 },
  'a status without a body': { status: 204 },
  'a status of null': { status: null },
  'a status as text': { status: '201' },
  'an interim status': { status: 101 },
  'a status text': { statusText: 'Fine' },
  'a field whose value is the name of another': { headers: { vary: 'content-type' } },
  'fields of which one names another': {
    headers: [
      ['access-control-allow-headers', 'content-type'],
      ['X-Content-Type', 'content-type'],
    ],
  },
  'a media type': { headers: { 'Content-Type': 'text/html' } },
  cookies: {
    headers: [
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ],
  },
  'a pair of three': { headers: [['x-a', '1', '2']] },
  'a pair of one': { headers: [['x-a']] },
  'pairs of text': { headers: ['ab', 'cd'] },
  'headers of null': { headers: null },
  'a number for headers': { headers: 5 },
  'a text for headers': { headers: 'ab' },
  'a function for headers': { headers: () => undefined },
  Headers: { headers: new Headers({ 'x-a': '1' }) },
  'a number for a value': { headers: { 'x-a': 5 } },
};

for (const [what, init] of Object.entries(INITS)) {
  test(`a light response with ${what} is the platform's`, async (t) => {
    for (const body of BODIES) {
      const args = [body as ResponseBody, init as ResponseInit] as const;
      const expected = await made(() => new PlatformResponse(...args));
      t.deepEqual(await made(() => new LightResponse(...args) as never), expected);
      if (typeof expected === 'string') continue;
      const sent = sentOf(new LightResponse(...args));
      if (sent !== null) t.deepEqual(sent, expected);
    }
  });
}
