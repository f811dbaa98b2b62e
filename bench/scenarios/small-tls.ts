/** Small responses over TLS: how much of the difference remains with encryption. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDevelopmentCertificate } from '../../runtime/tls/dev-certificate.ts';
import {
  type BenchContext,
  beside,
  type Comparison,
  type Scenario,
  type ScenarioResult,
} from '../comparison.ts';
import { type CertificateFiles, type Contender, nodeHttp2Secure, sluice } from '../contenders.ts';
import { bun, caddy, deno, h2o, hypercorn, nghttpd } from '../others.ts';
import { compareSmall } from './small.ts';

export const smallTls: Scenario = { name: 'small-tls', title: 'Small responses over TLS', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const certificate = await writeCertificate(context.directory);
  const node = nodeHttp2Secure(certificate);
  const asked = { protocol: 'h2', certificate, directory: context.directory } as const;
  const sluices = [1, 2].map((threads) =>
    sluice({
      name: `Sluice, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      directory: context.directory,
      certificate,
      pools: { hello: { application: 'hello.ts', threads, paths: ['/hello'] } },
    }),
  );
  const best = sluices[0] as Contender;
  const others = [bun, deno, nghttpd, h2o, caddy, hypercorn].map((other) => other(asked));
  const comparisons = await compareSmall(context, [node, ...sluices, ...others], best);
  return {
    method:
      'As the scenario "Small responses", over TLS 1.3 with the suite TLS_AES_128_GCM_SHA256 and a P-256 certificate on both sides. ' +
      'Handshakes are made before the warm-up ends and are not part of what is measured.',
    comparisons: [
      ...comparisons,
      ...beside(comparisons[0] as Comparison, 'Bun', {
        contender: best.name,
        bound: 'at least',
        limit: 0.7,
      }),
    ],
  };
}

async function writeCertificate(directory: string): Promise<CertificateFiles> {
  const { cert, key } = await makeDevelopmentCertificate(Date.now());
  const files = { cert: join(directory, 'bench.pem'), key: join(directory, 'bench.key') };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  return files;
}
