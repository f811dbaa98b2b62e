/** What is no actor, each in its own way. */
export const notAClass = { add: () => 1 };

export class Taken {
  tell(): void {}
}

export class Interleaving {
  static interleave = ['missing'];
  present(): void {}
}

export class Hanging {
  async start(): Promise<void> {
    await new Promise(() => undefined);
  }
}

export class Failing {
  async start(): Promise<void> {
    throw new RangeError('no connection');
  }
}
