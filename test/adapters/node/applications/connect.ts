import connect from 'connect';
import { PassedOn, raw } from './raw.ts';

const app = connect();
app.use((req, res, next) => {
  try {
    raw(req, res);
  } catch (error) {
    if (error instanceof PassedOn) next(error);
    else throw error;
  }
});

export default app;
