/** The requests that the page makes to the server. */

export class Outside extends Error {}

export class Refused extends Error {}

/** @throws Outside when nobody is let in, Refused with what the server says, TypeError when nobody answers */
export async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
  const isAct = method !== 'GET';
  const response = await fetch(path, {
    method,
    credentials: 'same-origin',
    cache: 'no-store',
    redirect: 'error',
    ...(isAct && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body ?? {}),
    }),
  });
  const text = await response.text();
  if (response.status === 401) throw new Outside(messageOf(text));
  if (!response.ok) throw new Refused(messageOf(text));
  return text === '' ? undefined : JSON.parse(text);
}

function messageOf(text: string): string {
  try {
    return String(JSON.parse(text).error.message);
  } catch {
    // What answers is something in between.
    return text.slice(0, 200);
  }
}

/** The link's secret stands behind the sign, which is sent to nobody; it becomes a cookie that no script reads, and is taken out of the history. */
export async function enter(): Promise<void> {
  const [, link] = /^#link=([\w-]{20,100})$/.exec(location.hash) ?? [];
  if (location.hash !== '') history.replaceState(null, '', '/');
  if (link !== undefined) await ask('POST', '/session', { link });
}
