/** Imports what is not there. */
const nowhere = './nowhere.ts';
export default (await import(nowhere)).default;
