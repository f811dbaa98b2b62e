import express from 'express';
import { content } from '../content.ts';
import { note } from '../journal.ts';

const application = express();

application.get('/express/small/:id/:size', ({ params }, response) => {
  note(params.id);
  response.set('x-id', params.id).send(content(params.id, Number(params.size)));
});
application.post('/express/echo/:id/:size', (request, response) => {
  const { id } = request.params;
  note(id as string);
  response.set('x-id', id);
  request.pipe(response);
});
application.get('/express/exit/:id/:size', ({ params }) => {
  note(params.id);
  process.exit(1);
});
application.get('/express/throw/:id/:size', ({ params }) => {
  note(params.id);
  setTimeout(() => {
    throw new Error('thrown in a callback');
  });
});

export default application;
