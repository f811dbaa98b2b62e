/** Throws while it loads. */
throw new Error('no database here');
