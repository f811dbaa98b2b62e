/**
 * Starts the server for a sluice command. clinic and Node leave files in the directory that they are started
 * in, which is a folder of the command's own, and the server must run in the directory in which the command
 * was given.
 */
import { writeFileSync } from 'node:fs';
import { directoryVariable, pidFileVariable } from './start-variables.ts';

const { [directoryVariable]: directory, [pidFileVariable]: pidFile } = process.env;
if (directory !== undefined) process.chdir(directory);
if (pidFile !== undefined) {
  writeFileSync(pidFile, `${process.pid} `);
  // clinic exits with 0 whatever the exit code of the server.
  process.once('exit', (code) => writeFileSync(pidFile, `${process.pid} ${code}`));
}
await import('../cli.ts');
