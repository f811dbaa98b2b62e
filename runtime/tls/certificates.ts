/**
 * The TLS of all listeners: their files are read before anything is started, and again on SIGHUP or when they change. A
 * new file that is wrong changes nothing but the log.
 */
import { ConfigError, type ConfigProblem, describeProblem } from '../config/errors.ts';
import type { ListenerConfig, TlsConfig } from '../config/listeners.ts';
import type { Log } from '../log.ts';
import { FileReader } from './file-reader.ts';
import { readTlsFile } from './files.ts';
import { assembleMaterial, readMaterial, type TlsMaterial } from './material.ts';
import { TlsTerminator } from './terminator.ts';
import { FileWatcher } from './watcher.ts';

/** For the files of one listener at a reload. */
const readTimeoutMs = 10_000;

export class Certificates {
  readonly #log: Log;
  readonly #alpnProtocols: readonly string[];
  readonly #terminators = new Map<TlsConfig, TlsTerminator>();
  readonly #watchers: FileWatcher[] = [];
  readonly #reader = new FileReader();
  #reloading: Promise<void> = Promise.resolve();

  constructor(alpnProtocols: readonly string[], log: Log) {
    this.#alpnProtocols = alpnProtocols;
    this.#log = log;
  }

  /**
   * Reads what all listeners need.
   * @param file the configuration's own, which errors are reported against
   * @throws ConfigError with everything that is wrong
   */
  load(listeners: readonly ListenerConfig[], file: string): Promise<void> {
    const loading = this.#load(listeners, file);
    // A reload that is asked for meanwhile comes behind it. What is wrong is for whoever asked to load.
    this.#reloading = loading.catch(() => undefined);
    return loading;
  }

  async #load(listeners: readonly ListenerConfig[], file: string): Promise<void> {
    const materials = await readAll(listeners, file, this.#log);
    for (const [config, material] of materials) {
      for (const { code, where, message } of material.warnings) this.#log.warn({ code, where }, message);
      this.#terminators.set(config, new TlsTerminator(config, material, this.#alpnProtocols));
      if (config.watch) this.#watch(config);
    }
  }

  /** Of a listener's section; null for cleartext. */
  terminatorOf({ tls }: ListenerConfig): TlsTerminator | null {
    return tls === null ? null : (this.#terminators.get(tls) ?? null);
  }

  /** Reads all files anew; one reload at a time. What is wrong, which is logged as well, and so is what has not changed. Never rejects. */
  reload(): Promise<readonly ConfigProblem[]> {
    const problems: ConfigProblem[] = [];
    const reloading = this.#reloading.then(async () => {
      for (const config of this.#terminators.keys()) {
        if ((await this.#reloadOne(config, problems)) !== 'same') continue;
        this.#log.info({ where: config.where }, 'certificates not reloaded: their files have not changed');
      }
    });
    this.#reloading = reloading;
    return reloading.then(() => problems);
  }

  async #reloadOne(
    config: TlsConfig,
    found: ConfigProblem[] = [],
  ): Promise<'reloaded' | 'same' | 'wrong' | 'none'> {
    const terminator = this.#terminators.get(config);
    if (terminator === undefined || config.certificates.length === 0) return 'none';
    const problems: ConfigProblem[] = [];
    const read = await this.#reader.read(filesOf(config), AbortSignal.timeout(readTimeoutMs));
    const material = readMaterial(config, Date.now(), read, problems);
    if (material === null) {
      found.push(...problems);
      for (const problem of problems) {
        const { code, where } = problem;
        this.#log.error(
          { code, where },
          `certificates not reloaded, the ones before stay: ${describeProblem(problem)}`,
        );
      }
      return 'wrong';
    }
    if (material.digest === terminator.digest) return 'same';
    for (const { code, where, message } of material.warnings) this.#log.warn({ code, where }, message);
    terminator.replace(material);
    this.#log.info({ where: config.where }, 'certificates reloaded: new connections get the new ones');
    return 'reloaded';
  }

  #watch(config: TlsConfig): void {
    const watcher = new FileWatcher(
      filesOf(config),
      () => {
        this.#reloading = this.#reloading.then(() => this.#reloadOne(config)).then(() => undefined);
      },
      (directory, error) => {
        this.#log.warn(
          { where: config.where, directory, err: error },
          'certificates are not watched: SIGHUP reloads them',
        );
      },
    );
    this.#watchers.push(watcher);
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
    for (const terminator of this.#terminators.values()) terminator.close();
  }
}

/** Every listener's material. @throws ConfigError with everything that is wrong */
export async function readAll(
  listeners: readonly ListenerConfig[],
  file: string,
  log: Pick<Log, 'info'> | null,
): Promise<Map<TlsConfig, TlsMaterial>> {
  const problems: ConfigProblem[] = [];
  const materials = new Map<TlsConfig, TlsMaterial>();
  let development: TlsMaterial | null = null;
  for (const { tls } of listeners) {
    if (tls === null) continue;
    const material =
      tls.certificates.length > 0
        ? readMaterial(tls, Date.now(), readTlsFile, problems)
        : (development ??= await makeDevelopmentMaterial(tls, log));
    if (material !== null) materials.set(tls, material);
  }
  if (problems.length > 0) throw new ConfigError(file, problems);
  return materials;
}

async function makeDevelopmentMaterial(
  config: TlsConfig,
  log: Pick<Log, 'info'> | null,
): Promise<TlsMaterial> {
  const { makeDevelopmentCertificate } = await import('./dev-certificate.ts');
  const certificate = await makeDevelopmentCertificate(Date.now());
  log?.info(
    { fingerprint256: certificate.fingerprint256 },
    'development certificate for localhost, 127.0.0.1 and ::1, made for this run: clients have to be told to take it',
  );
  return assembleMaterial(config, [certificate], [], null);
}

function filesOf({ certificates, ca, ticketKeys }: TlsConfig): string[] {
  const files = certificates.flatMap(({ cert, key, passphraseFile }) => [cert, key, passphraseFile]);
  return [...files, ...ca, ticketKeys].filter((file) => file !== null);
}
