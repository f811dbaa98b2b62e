/** Sends one file in response to any exchange, for `fileSending`. */
import { resolve } from 'node:path';
import { plainName } from '../../wire/field-marks.ts';
import { HostError } from '../exchange/errors.ts';
import { valueInvalid } from '../exchange/values.ts';
import { flatten } from '../fields/sent.ts';
import type { Exchange, FieldsInit } from '../gateway.ts';
import { Files } from './files.ts';
import { SURROUNDINGS } from './surroundings.ts';

/** The application chooses the file itself, so no file is hidden from it. The root is not used: paths are whole. */
const FILES = new Files(
  {
    root: '/',
    path: '/*',
    index: [],
    dotfiles: 'serve',
    symlinks: 'anywhere',
    precompressed: [],
    recheckMs: 0,
    etag: 'mtime',
    cacheControl: '',
    maxRanges: 16,
    readBytes: 65_536,
  },
  SURROUNDINGS,
);

/** @throws HostError `SLUICE_FILE_NOT_FOUND`, `SLUICE_VALUE_INVALID` */
export async function sendFile(exchange: Exchange, path: string, fields?: FieldsInit): Promise<void> {
  if (typeof path !== 'string') throw valueInvalid('the path of a file, a string', path);
  const whole = resolve(path);
  const flat = flatten(fields);
  const own: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) own.push([plainName(flat[i]), flat[i + 1]]);
  const found = await FILES.send(exchange, whole, own);
  if (found === 'sent') return;
  throw new HostError('SLUICE_FILE_NOT_FOUND', `expected a readable file at ${whole}, found ${found}`);
}
