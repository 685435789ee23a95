// A service that finds its resources as applications for Node do, each in its own way. It answers
// with the resource that it has understood, and tells under /hits what it was asked for.
import { createServer } from 'node:http';
import { posix } from 'node:path';

const decode = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
const readings = {
  // Resolves dot segments and backslashes, then decodes.
  url: (target) => decode(new URL(target, 'http://service').pathname),
  // Decodes, then resolves dot segments and empty ones, as static file servers do.
  normal: (target) => posix.normalize(decode(target.split('?')[0]).replaceAll('\\', '/')),
  // Twice, by a framework and again by what is behind it, without parameters.
  twice: (target) => posix.normalize(decode(decode(target.split('?')[0])).replace(/;[^/]*/g, '')),
  // Express by default: letters of any case, and a slash at the end or not.
  express: (target) => decode(new URL(target, 'http://service').pathname).toLowerCase(),
};
const read = readings[process.argv[2]];
const rewrites = /^x[-_.](original|rewrite)[-_.]url$/;
const overrides = /^x[-_.](http[-_.])?method([-_.]override)?$/;

// Another target or method than the request's own, as frameworks take it from a proxy.
const told = (request, names) =>
  Object.entries(request.headers).find(([name]) => names.test(name))?.[1];

const hits = [];
const server = createServer((request, response) => {
  if (request.url === '/hits') {
    response.end(JSON.stringify(hits));
    return;
  }
  let path;
  try {
    path = read(told(request, rewrites) ?? request.url);
  } catch {
    path = '';
  }
  const method = (told(request, overrides) ?? request.method).toUpperCase();
  const top = path.split('/')[1] ?? '';
  const known = ['admin', 'orders', 'public'].includes(top);
  let resource = known ? top : 'other';
  if (resource === 'orders' && !['GET', 'HEAD'].includes(method)) {
    resource = 'orders-write';
  }
  hits.push(resource);
  request.resume();
  response.setHeader('x-resource', resource);
  response.end();
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit());
