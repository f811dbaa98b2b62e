/** The file with the admin token is not usable, so the server does not start. */
export const TOKEN_CODE = 'SLUICE_ADMIN_TOKEN_UNUSABLE';

export class AdminTokenError extends Error {
  override readonly name = 'AdminTokenError';
  readonly code = TOKEN_CODE;
}
