// Calls methods of a gRPC server with grpc-js and tells what a caller sees.
//
//   node client.mjs        reads {"address": …, "calls": [{"path": …, "metadata": {…}}, …]} and
//                          prints a list of {"code", "details", "metadata"}, one for each call
//
// Messages are bytes as they are: an empty one is an empty message of protobuf.

import { text } from 'node:stream/consumers';
import { Client, Metadata, credentials } from '@grpc/grpc-js';

const { address, calls } = JSON.parse(await text(process.stdin));
const client = new Client(address, credentials.createInsecure());

function call({ path, metadata }) {
  const sent = new Metadata();
  for (const [name, value] of Object.entries(metadata)) sent.add(name, value);
  return new Promise((resolve) => {
    const answered = client.makeUnaryRequest(
      path,
      (message) => message,
      (bytes) => bytes,
      Buffer.alloc(0),
      sent,
      { deadline: Date.now() + 30_000 },
      () => {},
    );
    answered.on('status', ({ code, details, metadata }) =>
      resolve({ code, details, metadata: metadata.toJSON() }),
    );
  });
}

const answers = [];
for (const one of calls) answers.push(await call(one));
console.log(JSON.stringify(answers));
client.close();
