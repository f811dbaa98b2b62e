/** Its default export is no application. */
export default { answer: () => undefined };
