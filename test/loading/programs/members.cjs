const express = require('express');
const app = express().get('/', (_req, res) => res.send('a member'));
module.exports = { app, port: 3000 };
