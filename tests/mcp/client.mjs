// The official client of the Model Context Protocol, at a server that it knows nothing of but the
// address, with a person who agrees to everything.
//
//   node client.mjs        reads {"server": …, "issuer": …, "client_id": …, "redirect_uri": …,
//                          "tools": […]} and prints {"server": name, "answers": [text, …],
//                          "scopes": [asked for, …], "asked": ["GET url status", …]}

import { text } from 'node:stream/consumers';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const { server, issuer, client_id, redirect_uri, tools } = JSON.parse(await text(process.stdin));

const asked = [];
const scopes = [];
let stored = {};
let code;

const authProvider = {
  redirectUrl: redirect_uri,
  clientMetadata: { redirect_uris: [redirect_uri], token_endpoint_auth_method: 'none' },
  clientInformation: () => ({ client_id, issuer }),
  tokens: () => stored.tokens,
  saveTokens: (tokens) => (stored.tokens = tokens),
  codeVerifier: () => stored.verifier,
  saveCodeVerifier: (verifier) => (stored.verifier = verifier),
  async redirectToAuthorization(url) {
    scopes.push(url.searchParams.get('scope'));
    code = await logIn(url);
  },
};

// What a browser and a person would do: follow redirects, keep cookies, send each form as it is.
async function logIn(url) {
  const cookies = new Map();
  let form;
  for (let hops = 0; hops < 20; hops += 1) {
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ');
    const method = form ? 'POST' : 'GET';
    const answer = await fetch(url, { method, body: form, redirect: 'manual', headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      value ? cookies.set(name, value) : cookies.delete(name);
    }
    const location = answer.headers.get('location');
    if (location?.startsWith(redirect_uri)) return new URL(location).searchParams.get('code');
    if (location) {
      [url, form] = [new URL(location, url), undefined];
      continue;
    }
    const page = await answer.text();
    const prompt = page.match(/name="prompt" value="(\w+)"/)[1];
    url = new URL(page.match(/action="([^"]+)"/)[1], url);
    form = new URLSearchParams({ prompt, login: 'alice', password: 'any' });
  }
  throw new Error('there is no end of redirects');
}

async function noted(url, init) {
  const response = await fetch(url, init);
  asked.push(`${init?.method ?? 'GET'} ${url} ${response.status}`);
  return response;
}

const connection = () =>
  new StreamableHTTPClientTransport(new URL(server), { fetch: noted, authProvider });
let client;
let transport;

async function connect() {
  client = new Client({ name: 'test', version: '1.0.0' });
  transport = connection();
  await client.connect(transport);
}

// Clients are told that a person is needed by an error, and go on when there is a code.
async function withPerson(step) {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await transport.finishAuth(code);
    return await step();
  }
}

await withPerson(connect);
const answers = [];
for (const name of tools) {
  const { content } = await withPerson(() => client.callTool({ name, arguments: {} }));
  answers.push(content[0].text);
}
console.log(JSON.stringify({ server: client.getServerVersion().name, answers, scopes, asked }));
await client.close();
