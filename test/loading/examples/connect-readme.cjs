// As in Connect's README, with a server of node:http made by hand.
const connect = require('connect');
const http = require('node:http');

const app = connect();
app.use((_req, res, next) => {
  res.setHeader('x-middleware', 'ran');
  next();
});
app.use((_req, res) => {
  res.end('Hello from Connect!\n');
});

http.createServer(app).listen(3000);
