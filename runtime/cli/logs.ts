/** `sluice logs`: copies the newest log lines of the servers, and new ones as they come. */
import type { ControlClient } from '../control/client.ts';
import { ControlCode, ControlRefusal, ControlSocketError } from '../control/errors.ts';
import type { FoundServers } from '../control/find.ts';
import { type Answer, complaintOf, isRefused } from './ask-servers.ts';
import { ExitCode } from './exit-code.ts';
import type { AdminOutput, OutputStream } from './output.ts';

/** Complains at once of a server whose log cannot be copied, because the others' may take days. */
export async function copyLogs(
  { clients, unreached }: FoundServers,
  query: string,
  isJson: boolean,
  output: AdminOutput,
): Promise<Answer> {
  const { formatLine } = await import('../../wire/log-line.ts');
  const isText = output.isTerminal && !isJson;
  const show = (line: string): string => `${isText ? formatLine(line, output.colour) : line}\n`;
  const stream = output.stream();
  let exitCode: ExitCode = ExitCode.Ok;
  const complain = (error: unknown, path: string): void => {
    if (!isRefused(error)) throw error;
    output.warn(complaintOf(error, {}, clients.length + unreached.length > 1 ? path : ''));
    exitCode = ExitCode.Failed;
  };
  for (const { path, why } of unreached) complain(why, path);
  await Promise.all(
    clients.map((client) =>
      copyLog(client, query, show, stream).catch((error: unknown) => complain(error, client.path)),
    ),
  );
  return { exitCode, text: '' };
}

/** Copies the log until it ends, the user stops the command, or the server ends. */
async function copyLog(
  client: ControlClient,
  query: string,
  show: (line: string) => string,
  { write, signal }: OutputStream,
): Promise<void> {
  try {
    const { status, body } = await client.request('GET', `/logs${query}`, { signal });
    let rest = '';
    let whole = '';
    for await (const piece of body) {
      if (status !== 200) {
        whole += piece;
        continue;
      }
      const lines = (rest + piece).split('\n');
      rest = lines.pop() ?? '';
      if (lines.length > 0) await write(lines.map(show).join(''));
    }
    if (status !== 200) throw refusal(status, whole);
  } catch (error) {
    if (signal.aborted) return;
    const hasEnded = error instanceof ControlSocketError && error.code === ControlCode.Lost;
    if (!hasEnded) throw error;
  }
}

function refusal(status: number, text: string): ControlRefusal {
  const { error } = JSON.parse(text) as {
    readonly error: { readonly code: string; readonly message: string };
  };
  return new ControlRefusal(status, error.code, error.message);
}
