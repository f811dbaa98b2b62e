/** What the HTTP/1.1 connections of a reactor share: nothing in it belongs to one of them. */
import { ContentPieces } from './content-pieces.ts';
import { FieldSections } from './field-sections.ts';
import { ResponseHeads } from './response-heads.ts';

export class Http1Caches {
  readonly sections = new FieldSections();
  readonly pieces = new ContentPieces();
  readonly heads = new ResponseHeads();
}
