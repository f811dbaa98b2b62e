const http = require('node:http');
const { pathToFileURL } = require('node:url');

const server = http.createServer((_req, res) => {
  process.chdir(process.cwd());
  res.end(
    `${require.main === module} ${require.main.filename === __filename} ${process.argv[1] === __filename}`,
  );
});
if (require.main === module && pathToFileURL(process.argv[1]).pathname.endsWith('main.cjs'))
  server.listen(3000);
