/** Ends its thread while it loads. */
process.exit(7);
