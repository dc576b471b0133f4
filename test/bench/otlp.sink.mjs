// A collector that accepts everything: prints its port, and for each line on standard input what it was sent so far.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

let requests = 0;
let bytes = 0;
const server = createServer((request, response) => {
  request.on('data', (chunk) => {
    bytes += chunk.length;
  });
  request.on('end', () => {
    requests += 1;
    const isJson = (request.headers['content-type'] ?? '').includes('json');
    response.writeHead(200, { 'content-type': isJson ? 'application/json' : 'application/x-protobuf' });
    response.end(isJson ? '{}' : '');
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
const lines = createInterface({ input: process.stdin });
lines.on('line', () => console.log(JSON.stringify({ requests, bytes })));
lines.on('close', () => process.exit(0));
