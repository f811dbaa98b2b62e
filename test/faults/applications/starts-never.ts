/** Waits in `start` for something that does not come. */
export default {
  start: () => new Promise(() => setInterval(() => undefined, 1_000_000)),
  application: () => undefined,
};
