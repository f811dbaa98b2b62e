/** The configuration's `downgrade`: what happens to features that an application's shape cannot express (docs/sgi.md, rule 12.7). */
import { oneOf, section, wholeNumber } from './fields.ts';

export const downgrade = section(
  'For applications of the kinds node, server and fetch: what happens to features that the shape of the application, or a layer above it, cannot express.',
  {
    push: oneOf(
      'A push that the peer does not take: becomes a Link field in a 103 and in the head (preload), is dropped, or is an error (refuse).',
      ['preload', 'drop', 'refuse'],
      'preload',
    ),
    trailers: oneOf('Trailers that cannot be sent.', ['drop', 'refuse'], 'drop'),
    informational: oneOf('Interim responses that cannot be sent.', ['drop', 'refuse'], 'drop'),
    streaming: oneOf('Streaming, if a layer collects the whole body.', ['buffer', 'refuse'], 'buffer'),
    reset: oneOf(
      'A reset with a code over HTTP/1.1: closes the connection, or is an error.',
      ['close', 'refuse'],
      'close',
    ),
    linkPreload: oneOf(
      'A Link field with rel=preload and without nopush: passed on, or also pushed if the peer takes pushes.',
      ['pass', 'push'],
      'pass',
    ),
    associatedContent: oneOf(
      'An X-Associated-Content field: its resources are pushed and the field is removed, or it is passed on.',
      ['push', 'pass'],
      'push',
    ),
    maxPushesPerHead: wholeNumber('The most pushes for the fields of one response.', {
      from: 0,
      to: 1_000,
      byDefault: 16,
    }),
  },
);
