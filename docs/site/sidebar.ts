/** The site's navigation. Every page of docs/ is in it; `test/docs/site.test.ts` holds that. */
export interface Entry {
  readonly text: string;
  readonly link: string;
}

export interface Section {
  readonly text: string;
  readonly items: readonly Entry[];
}

const page = (text: string, link: string): Entry => ({ text, link });

export const sidebar: readonly Section[] = [
  { text: 'Start', items: [page('What Sluice is', '/'), page('Samples', '/docs/samples')] },
  {
    text: 'Use it',
    items: [
      page('Bring your app', '/docs/bring-your-app'),
      page('Frameworks', '/docs/frameworks'),
      page('Node compatibility', '/docs/node-compatibility'),
      page('Writing applications', '/docs/applications'),
      page('WebSockets', '/docs/websockets'),
      page('Actors', '/docs/actors'),
      page('Topics', '/docs/topics'),
      page('Testing actors', '/docs/testing-actors'),
      page('Static files', '/docs/static-files'),
      page('Middleware, piece by piece', '/docs/upgrade-one-middleware'),
      page('Middleware gallery', '/apps/middleware/'),
      page('Notifications', '/docs/notifications'),
    ],
  },
  {
    text: 'Operate it',
    items: [
      page('Operations', '/docs/operations'),
      page('Pools', '/docs/pools'),
      page('Configuration', '/docs/configuration'),
      page('TLS and proxies', '/docs/tls'),
      page('Reload', '/docs/reload'),
      page('Health', '/docs/health'),
      page('Monitoring', '/docs/monitoring'),
      page('Deployment', '/docs/deployment'),
      page('Hardening', '/docs/hardening'),
      page('Profiling', '/docs/profiling'),
      page('sluice profile', '/docs/sluice-profile'),
      page('Control socket', '/docs/control-socket'),
      page('Admin endpoints', '/docs/admin'),
      page('Embedding', '/docs/embedding'),
    ],
  },
  {
    text: 'The interface',
    items: [
      page('Reference', '/reference/'),
      page('Stream Gateway Interface', '/docs/sgi'),
      page('Protocols', '/docs/protocols'),
      page('Conformance', '/docs/conformance'),
    ],
  },
  {
    text: 'Internals',
    items: [
      page('Glossary', '/docs/glossary'),
      page('Architecture', '/docs/architecture'),
      page('Performance', '/docs/performance'),
      page('Benchmark results', '/bench/results/'),
      page('Benchmarks', '/bench/'),
      page('Decisions', '/docs/decisions/'),
      page('The wire', '/wire/'),
      page('HTTP/1.1 engine', '/runtime/http1/'),
      page('HTTP/2 engine', '/runtime/http2/'),
      page('Contributing', '/CONTRIBUTING'),
      page('Changelog', '/CHANGELOG'),
    ],
  },
];
