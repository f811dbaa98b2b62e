/** Rules for the head of a response beyond the rules for each of its fields. */
import { fieldsBound } from '../../wire/encoder.ts';
import { contentLengthOf } from '../fields/sent.ts';
import type { ExchangeRequest } from '../gateway.ts';
import { HostError } from './errors.ts';

/**
 * Checks the fields against the most room that they may take in a message, before they are written.
 * @throws HostError `SLUICE_FIELD_INVALID` if no message could carry them
 */
export function requireFit(flat: readonly string[], maxBytes: number): number {
  const bytes = fieldsBound(flat);
  if (bytes <= maxBytes) return bytes;
  throw new HostError(
    'SLUICE_FIELD_INVALID',
    `expected fields that take at most ${maxBytes} bytes, three for each character and ten for each line (see the pool's ringBytes), got ${bytes}`,
  );
}

/**
 * Whether a response of 2xx would accept a tunnel that the request asks for. An Upgrade of HTTP/1.1 may be
 * ignored, and only 101 accepts it (RFC 9110 section 7.8).
 */
export function isAcceptedBy2xx({ protocol, method, version }: ExchangeRequest): boolean {
  return method === 'CONNECT' || (protocol !== '' && version === '2');
}

/**
 * @throws HostError `SLUICE_STATUS_INVALID` if the request asks for a tunnel and this status would accept it
 */
export function requireRefusalOfTunnel(request: ExchangeRequest, status: number): void {
  if (status >= 300 || !isAcceptedBy2xx(request)) return;
  throw new HostError(
    'SLUICE_STATUS_INVALID',
    `expected accept(), or a status of 300 or above that refuses the tunnel (RFC 9110 section 9.3.6), got ${status}`,
  );
}

/** @throws HostError `SLUICE_FIELD_INVALID` */
export function requireNoTunnelContent(flat: readonly string[]): void {
  if (contentLengthOf(flat) === -1) return;
  throw new HostError(
    'SLUICE_FIELD_INVALID',
    'expected no content-length: a tunnel has no content (RFC 9110 section 9.3.6)',
  );
}

/** @param declared content-length; -1: none @throws HostError `SLUICE_FIELD_INVALID` */
export function requireLength(declared: number, length: number, status: number): void {
  if (declared === -1 || declared === length || status === 304) return;
  throw new HostError(
    'SLUICE_FIELD_INVALID',
    `expected content-length ${length}, the length of the body, got ${declared}`,
  );
}

/** The response has no content, whatever the application writes (RFC 9110 section 6.4.1). */
export function isBodiless(isHead: boolean, status: number): boolean {
  return isHead || status === 204 || status === 304;
}

/**
 * RFC 9110 section 8.6: a 204 never has content-length; in a 304 it would describe another representation.
 */
export function lacksLength(declared: number, status: number): boolean {
  return declared === -1 && status !== 204 && status !== 304;
}
