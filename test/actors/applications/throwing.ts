throw new SyntaxError('the module of actors does not load');
