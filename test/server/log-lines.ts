/** What a server logged, and waiting for what it will log. */
import { Writable } from 'node:stream';

export interface LogLine {
  readonly level: string;
  readonly msg?: string;
  readonly [key: string]: unknown;
}

export class LogLines {
  readonly lines: LogLine[] = [];
  #waiting: { readonly wanted: (line: LogLine) => boolean; readonly resolve: (line: LogLine) => void }[] = [];
  #rest = '';

  readonly stream = new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      this.push(String(chunk));
      done();
    },
  });

  push(text: string): void {
    const parts = (this.#rest + text).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const part of parts) if (part.startsWith('{')) this.#add(JSON.parse(part));
  }

  find(message: string): LogLine | undefined {
    return this.lines.find((line) => line.msg?.includes(message));
  }

  count(message: string): number {
    return this.lines.filter((line) => line.msg?.includes(message)).length;
  }

  /** The first line, logged already or still to come, whose message contains this. */
  until(message: string, matches: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    const wanted = (line: LogLine) => line.msg?.includes(message) === true && matches(line);
    const found = this.lines.find(wanted);
    if (found !== undefined) return Promise.resolve(found);
    const { promise, resolve } = Promise.withResolvers<LogLine>();
    this.#waiting.push({ wanted, resolve });
    return promise;
  }

  #add(line: LogLine): void {
    this.lines.push(line);
    this.#waiting = this.#waiting.filter(({ wanted, resolve }) => {
      if (!wanted(line)) return true;
      resolve(line);
      return false;
    });
  }
}
