/**
 * The caches that all HTTP/1.1 connections of a reactor share. Nothing in them belongs to a single
 * connection.
 */
import { ContentPieces } from './content-pieces.ts';
import { FieldSections } from './field-sections.ts';
import { ResponseHeads } from './response-heads.ts';

export class Http1Caches {
  readonly sections = new FieldSections();
  readonly pieces = new ContentPieces();
  readonly heads = new ResponseHeads();
}
