/** Sends one file in response to any exchange, for `fileSending`. */
import { basename, dirname, resolve } from 'node:path';
import { plainName } from '../../wire/field-marks.ts';
import { HostError } from '../exchange/errors.ts';
import { valueInvalid } from '../exchange/values.ts';
import { flatten } from '../fields/sent.ts';
import type { Exchange, FieldsInit } from '../gateway.ts';
import { Files } from './files.ts';
import { SURROUNDINGS } from './surroundings.ts';

/** The application chooses the file itself, so no file is hidden from it. */
const OPTIONS = {
  index: [],
  dotfiles: 'serve',
  symlinks: 'anywhere',
  precompressed: [],
  recheckMs: 0,
  etag: 'mtime',
  cacheControl: '',
  maxRanges: 16,
  readBytes: 65_536,
} as const;

/** @throws HostError `SLUICE_FILE_NOT_FOUND`, `SLUICE_VALUE_INVALID` */
export async function sendFile(exchange: Exchange, path: string, fields?: FieldsInit): Promise<void> {
  if (typeof path !== 'string') throw valueInvalid('the path of a file, a string', path);
  const whole = resolve(path);
  const files = new Files({ ...OPTIONS, root: dirname(whole), path: '/*' }, SURROUNDINGS);
  const flat = flatten(fields);
  const own: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) own.push([plainName(flat[i]), flat[i + 1]]);
  const found = await files.send(exchange, basename(whole), own);
  if (found === 'sent') return;
  throw new HostError('SLUICE_FILE_NOT_FOUND', `expected a readable file at ${whole}, found ${found}`);
}
