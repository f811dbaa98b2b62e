/** Throws where nobody catches while it loads, and no error either. */
setImmediate(() => {
  throw null;
});
export default await new Promise(() => undefined);
