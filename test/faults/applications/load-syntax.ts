/** Is no JavaScript when it loads, though a checker finds nothing. */
export default new Function('exchange', 'return )');
