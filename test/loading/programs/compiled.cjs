'use strict';
// As tsc and esbuild compile `export default app` to CommonJS.
Object.defineProperty(exports, '__esModule', { value: true });
const express = require('express');
const app = express();
app.get('/', (_req, res) => {
  res.send('compiled');
});
exports.default = app;
