import express from 'express';
import { enter, session } from './session.ts';

const application = express();
application.use((req, res, next) => {
  res.locals.found = enter(req.get('x-user'));
  next();
});
application.use((_req, res) => {
  res.send(`${res.locals.found}, then ${session.getStore()}`);
});

export default application;
