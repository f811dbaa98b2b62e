// As on expressjs.com, "Routing" and "Error handling": a router in an application that is exported.
const express = require('express');
const app = express();
const birds = express.Router();

birds.use((_req, res, next) => {
  res.set('x-time', 'now');
  next();
});
birds.get('/', (_req, res) => res.send('Birds home page'));
birds
  .route('/:name')
  .get((req, res) => res.json({ name: req.params.name, ...req.query }))
  .post(express.json(), (req, res) => res.status(201).json(req.body));

app.use('/birds', birds);
app.use('/static', express.static(`${__dirname}/public`));
app.get('/broken', async () => {
  throw new Error('BROKEN');
});
app.use((err, _req, res, _next) => {
  res.status(500).send(`Something broke: ${err.message}`);
});

module.exports = app;
