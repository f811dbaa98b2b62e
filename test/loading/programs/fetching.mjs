export function fetch() {
  return new Response('fetched');
}
