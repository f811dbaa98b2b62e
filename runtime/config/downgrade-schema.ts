/** The configuration's `downgrade`: what happens to features that an application's shape cannot express (docs/sgi.md, rule 12.7). */
import { oneOf, section, wholeNumber } from './fields.ts';

export const downgrade = section(
  'For applications of the kinds node, server and fetch: what becomes of features that their shape cannot carry.',
  {
    push: oneOf(
      'A push where there is none: a 103 with a Link for it and the Link in the head, nothing, or an error.',
      ['preload', 'drop', 'refuse'],
      'preload',
    ),
    trailers: oneOf('Trailers that cannot be sent.', ['drop', 'refuse'], 'drop'),
    informational: oneOf('Interim responses that cannot be sent.', ['drop', 'refuse'], 'drop'),
    streaming: oneOf('Streaming, where a layer collects the body.', ['buffer', 'refuse'], 'buffer'),
    reset: oneOf(
      'A reset with a code, over HTTP/1.1: the connection, or an error.',
      ['close', 'refuse'],
      'close',
    ),
    linkPreload: oneOf(
      'A Link field with rel=preload and without nopush: passed on, or pushed as well where the peer takes it.',
      ['pass', 'push'],
      'pass',
    ),
    associatedContent: oneOf(
      'An X-Associated-Content field: what it names is pushed and the field taken out, or it is passed on.',
      ['push', 'pass'],
      'push',
    ),
    maxPushesPerHead: wholeNumber('Pushes for the fields of one response, at most.', {
      from: 0,
      to: 1_000,
      byDefault: 16,
    }),
  },
);
