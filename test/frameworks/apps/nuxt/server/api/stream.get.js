/** Three lines; the next one when the one before has been taken. */
export default defineEventHandler((event) => {
  const lines = ['one\n', 'two\n', 'three\n'];
  const encoder = new TextEncoder();
  setResponseHeader(event, 'content-type', 'text/plain; charset=utf-8');
  return new ReadableStream({
    pull(controller) {
      const line = lines.shift();
      if (line === undefined) controller.close();
      else controller.enqueue(encoder.encode(line));
    },
  });
});
