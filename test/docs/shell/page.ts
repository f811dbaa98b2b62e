/** The blocks of a page in their order, as somebody reads it: each is taken once, and at the end none is left. */
import type { ExecutionContext } from 'ava';
import { type Block, blocksOf, read } from '../markdown.ts';

export const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'console']);

export class Page {
  readonly #left: Block[];

  /** @param file of the project */
  constructor(file: string) {
    this.#left = blocksOf(read(file));
  }

  /** The next shell block, as it is printed. */
  shell(): string {
    return this.#next(({ language }) => SHELLS.has(language), 'shell block').text;
  }

  /** The next shell block as separate commands: what is a list of them and no script. */
  commands(): string[] {
    return this.shell().trim().split('\n');
  }

  /** The next block of `console`: a command behind `$`, and what it prints. */
  session(): { readonly command: string; readonly output: string } {
    const { text } = this.#next(({ language }) => language === 'console', 'block of console');
    const [first = '', ...rest] = text.split('\n');
    return { command: first.replace('$ ', ''), output: rest.join('\n') };
  }

  /** The next block of another language. */
  source(language: string): string {
    return this.#next((block) => block.language === language, `block of ${language}`).text;
  }

  /** No shell block is left. */
  end(t: ExecutionContext): void {
    t.deepEqual(
      this.#left.filter(({ language }) => SHELLS.has(language)),
      [],
      'expected every shell block of the page to have been taken',
    );
  }

  /** Leaves out blocks of other languages in front of it, never a shell block. */
  #next(wanted: (block: Block) => boolean, what: string): Block {
    for (;;) {
      const block = this.#left.shift();
      if (block === undefined) throw new Error(`expected another ${what} on the page`);
      if (wanted(block)) return block;
      if (SHELLS.has(block.language))
        throw new Error(`expected a ${what}, got the shell block ${block.text}`);
    }
  }
}
