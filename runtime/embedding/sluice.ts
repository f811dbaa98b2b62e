/** Entry point for processes that run servers of their own. Published as `sluice`. */
export { ConfigError, type ConfigProblem } from '../config/errors.ts';
export { ControlSocketError } from '../control/errors.ts';
export { ListenError } from '../listeners/listen-error.ts';
export { ApplicationLoadError } from '../pools/application-load-error.ts';
export { ReloadStoppedError } from '../reload/errors.ts';
export type { PoolReload, ReloadReport } from '../reload/report.ts';
export type { ListenerStatus, PoolStatus, ServerStatus, ThreadStatus } from '../status/status-types.ts';
export { NoCertificatesError } from '../tls/no-certificates-error.ts';
export { type Configuration, createServer, type ServerOptions, type SluiceServer } from './create-server.ts';
export type { LogLine } from './log.ts';
export { ServerClosedError, ServerStateError } from './server-state-error.ts';
