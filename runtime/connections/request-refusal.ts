/** Why an engine has refused a request, before there was an exchange or while its content arrived. */

export const requestRefusals = [
  'malformed',
  'head-too-large',
  'content-too-large',
  'unsupported',
  'head-timeout',
  'too-many-streams',
  'connection-error',
] as const;
export type RequestRefusal = (typeof requestRefusals)[number];

/** @param status of the response with which the HTTP/1.1 engine refuses */
export function requestRefusalOf(status: number): RequestRefusal {
  switch (status) {
    case 400:
      return 'malformed';
    case 408:
      return 'head-timeout';
    case 413:
      return 'content-too-large';
    case 414:
    case 431:
      return 'head-too-large';
    default:
      return 'unsupported';
  }
}
