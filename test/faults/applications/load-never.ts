/** Never loads: what it waits for does not come. */
await new Promise(() => undefined);
