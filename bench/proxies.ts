/** nginx in front of a server under test, as docs/deployment.md has it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type Server, started } from './contenders.ts';
import { firstVersion, onPath } from './others.ts';
import { Program } from './processes.ts';

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'] as const;

export interface Proxy {
  /** Without a slash at its end. */
  readonly origin: string;
  stop(): Promise<void>;
}

/** Why there is no nginx here, or null. */
export function missingNginx(): string | null {
  return onPath('nginx');
}

export function nginxVersion(): string {
  // It prints `nginx version: nginx/1.22.1` to standard error.
  return firstVersion(spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr);
}

/**
 * One process of nginx that keeps its connections to the server. Resolves when it has passed on a correct
 * answer.
 */
export async function startNginx(server: Server, directory: string): Promise<Proxy> {
  const port = await freePort();
  const place = mkdtempSync(join(directory, 'nginx-'));
  for (const name of TEMPORARY) mkdirSync(join(place, name));
  const file = join(place, 'nginx.conf');
  writeFileSync(file, configOf(server.port, port));
  const program = new Program('nginx', 'nginx', ['-p', place, '-c', file, '-e', 'stderr']);
  const { origin } = await started(program, port, 'http', 'http/1.1');
  return { origin, stop: () => program.stop() };
}

function configOf(serverPort: number, port: number): string {
  return `daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
${TEMPORARY.map((name) => `  ${name}_temp_path ${name};`).join('\n')}
  keepalive_requests 1000000;
  upstream app {
    server 127.0.0.1:${serverPort};
    keepalive 128;
    keepalive_requests 1000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering off;
    }
  }
}
`;
}
