const respond = (_req, res) => res.end('any number of parameters');
export default (...parameters) => respond(...parameters);
