/** Fields that keep the values of the layers and of the application. For any other field the application's value replaces theirs. */
export const JOINED_FIELDS: ReadonlySet<string> = new Set(['set-cookie', 'vary', 'link', 'www-authenticate']);
