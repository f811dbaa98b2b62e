/**
 * The TLS of all listeners. Their files are read before anything is started, and again on SIGHUP or when they
 * change. A new file with a fault is logged and changes nothing else.
 */
import { ConfigError, type ConfigProblem, describeProblem } from '../config/errors.ts';
import type { ListenerConfig, TlsConfig } from '../config/listeners.ts';
import type { Log } from '../logging/log.ts';
import { FileReader } from './file-reader.ts';
import { readTlsFile } from './files.ts';
import { assembleMaterial, readMaterial, type TlsMaterial } from './material.ts';
import { TlsTerminator } from './terminator.ts';
import { FileWatcher } from './watcher.ts';

/** How long a reload may read the files of one listener. */
const readTimeoutMs = 10_000;

/** The TLS of one listener. */
interface Served {
  config: TlsConfig;
  readonly terminator: TlsTerminator;
  watcher: FileWatcher | null;
}

/** Material that was read for another configuration and is not in force yet. */
export interface PreparedCertificates {
  readonly changes: readonly {
    readonly served: Served;
    readonly config: TlsConfig;
    readonly material: TlsMaterial;
  }[];
}

export class Certificates {
  readonly #log: Log;
  readonly #alpnProtocols: readonly string[];
  /** Keyed by the index of the listener. */
  readonly #served = new Map<number, Served>();
  readonly #reader = new FileReader();
  #reloading: Promise<void> = Promise.resolve();

  constructor(alpnProtocols: readonly string[], log: Log) {
    this.#alpnProtocols = alpnProtocols;
    this.#log = log;
  }

  /**
   * Reads the files of all listeners.
   * @param file the configuration file that errors are reported for
   * @throws ConfigError with every fault
   */
  load(listeners: readonly ListenerConfig[], file: string): Promise<void> {
    const loading = this.#load(listeners, file);
    // A reload that is requested in the meantime comes after this. The caller of `load` gets the errors.
    this.#reloading = loading.catch(() => undefined);
    return loading;
  }

  async #load(listeners: readonly ListenerConfig[], file: string): Promise<void> {
    const materials = await readAll(listeners, file, this.#log);
    for (const [index, { tls: config }] of listeners.entries()) {
      const material = config === null ? undefined : materials.get(config);
      if (config === null || material === undefined) continue;
      for (const { code, where, message } of material.warnings) this.#log.warn({ code, where }, message);
      const served = {
        config,
        terminator: new TlsTerminator(config, material, this.#alpnProtocols),
        watcher: null,
      };
      this.#served.set(index, served);
      this.#watch(served);
    }
  }

  /** The terminator of the listener with this index; null for cleartext. */
  terminatorOf(index: number): TlsTerminator | null {
    return this.#served.get(index)?.terminator ?? null;
  }

  /**
   * Reads all files again; one reload runs at a time. Problems, and unchanged files, are also logged. Never
   * rejects.
   */
  reload(): Promise<{ readonly problems: readonly ConfigProblem[]; readonly isChanged: boolean }> {
    const problems: ConfigProblem[] = [];
    let isChanged = false;
    const reloading = this.#reloading.then(async () => {
      for (const served of this.#served.values()) {
        const outcome = await this.#reloadOne(served, problems);
        if (outcome === 'reloaded') isChanged = true;
        if (outcome !== 'same') continue;
        const { where } = served.config;
        this.#log.info({ where }, 'certificates not reloaded: their files have not changed');
      }
    });
    this.#reloading = reloading;
    return reloading.then(() => ({ problems, isChanged }));
  }

  /** Whether these listeners use the same files and settings as those in force. */
  isSameFor(listeners: readonly ListenerConfig[]): boolean {
    return [...this.#served].every(
      ([index, { config }]) => JSON.stringify(listeners[index]?.tls) === JSON.stringify(config),
    );
  }

  async #reloadOne(
    served: Served,
    found: ConfigProblem[] = [],
  ): Promise<'reloaded' | 'same' | 'wrong' | 'none'> {
    const { config, terminator } = served;
    if (config.certificates.length === 0) return 'none';
    const material = await this.#read(config, found);
    if (material === null) return 'wrong';
    if (material.digest === terminator.digest) return 'same';
    this.#replace(served, config, material);
    return 'reloaded';
  }

  async #read(config: TlsConfig, found: ConfigProblem[]): Promise<TlsMaterial | null> {
    const problems: ConfigProblem[] = [];
    const read = await this.#reader.read(filesOf(config), AbortSignal.timeout(readTimeoutMs));
    const material = readMaterial(config, Date.now(), read, problems);
    found.push(...problems);
    for (const problem of problems) {
      const { code, where } = problem;
      this.#log.error(
        { code, where },
        `certificates not reloaded, the previous ones stay: ${describeProblem(problem)}`,
      );
    }
    return material;
  }

  #replace({ terminator }: Served, config: TlsConfig, material: TlsMaterial): void {
    for (const { code, where, message } of material.warnings) this.#log.warn({ code, where }, message);
    terminator.replace(material);
    this.#log.info({ where: config.where }, 'certificates reloaded: new connections use the new ones');
  }

  /**
   * Reads what another configuration needs for the existing listeners. Nothing changes until the result is
   * passed to `take`.
   * @throws ConfigError with every fault
   */
  prepare(listeners: readonly ListenerConfig[], file: string): Promise<PreparedCertificates> {
    const preparing = this.#reloading.then(() => this.#prepare(listeners, file));
    this.#reloading = preparing.then(
      () => undefined,
      // The caller of `prepare` gets the error.
      () => undefined,
    );
    return preparing;
  }

  async #prepare(listeners: readonly ListenerConfig[], file: string): Promise<PreparedCertificates> {
    const changes: PreparedCertificates['changes'][number][] = [];
    const problems: ConfigProblem[] = [];
    for (const [index, served] of this.#served) {
      const config = listeners[index]?.tls ?? null;
      if (config === null || config.certificates.length === 0) continue;
      const material = await this.#read(config, problems);
      if (material !== null) changes.push({ served, config, material });
    }
    if (problems.length > 0) throw new ConfigError(file, problems);
    return { changes };
  }

  /**
   * New connections use what was prepared.
   * @returns whether anything of it is new
   */
  take({ changes }: PreparedCertificates): boolean {
    let isChanged = false;
    for (const { served, config, material } of changes) {
      const isSame =
        material.digest === served.terminator.digest &&
        JSON.stringify(config) === JSON.stringify(served.config);
      served.config = config;
      if (isSame) continue;
      isChanged = true;
      this.#replace(served, config, material);
      served.watcher?.close();
      this.#watch(served);
    }
    return isChanged;
  }

  #watch(served: Served): void {
    const { config } = served;
    served.watcher = null;
    if (!config.watch) return;
    served.watcher = new FileWatcher(
      filesOf(config),
      () => {
        this.#reloading = this.#reloading.then(() => this.#reloadOne(served)).then(() => undefined);
      },
      (directory, error) => {
        this.#log.warn(
          { where: config.where, directory, err: error },
          'certificates are not watched: SIGHUP reloads them',
        );
      },
    );
  }

  close(): void {
    for (const { watcher, terminator } of this.#served.values()) {
      watcher?.close();
      terminator.close();
    }
  }
}

/**
 * The material of every listener.
 * @throws ConfigError with every fault
 */
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
    'development certificate for localhost, 127.0.0.1 and ::1, made for this run: clients must be told to accept it',
  );
  return assembleMaterial(config, [certificate], [], null);
}

function filesOf({ certificates, ca, ticketKeys }: TlsConfig): string[] {
  const files = certificates.flatMap(({ cert, key, passphraseFile }) => [cert, key, passphraseFile]);
  return [...files, ...ca, ticketKeys].filter((file) => file !== null);
}
