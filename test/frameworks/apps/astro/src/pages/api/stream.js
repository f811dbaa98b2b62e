/** Three lines; the next one when the one before has been taken. */
export function GET() {
  const lines = ['one\n', 'two\n', 'three\n'];
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    pull(controller) {
      const line = lines.shift();
      if (line === undefined) controller.close();
      else controller.enqueue(encoder.encode(line));
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/plain; charset=utf-8' } });
}
