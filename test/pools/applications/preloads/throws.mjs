throw new Error('the preloaded module breaks');
