/** Its default export is no function. */
export default { fetch: () => undefined };
