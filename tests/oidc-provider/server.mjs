// The authorization server of the integration tests: oidc-provider on loopback with keys made at
// start, and before it a small handler through which the tests rotate keys and break endpoints.
//
//   node server.mjs [port]     prints {"issuer": …, "control": …} when ready, ends with its stdin
//
//   POST /control/rotate       new keys, new kids; logins and codes in progress are lost
//   POST /control/jwks         body: ok | 503 | hang | garbage | empty
//   POST /control/discovery    the same for the discovery documents
//   GET  /control/stats        {"jwks": requests so far, "discovery": requests so far}

import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { newKey } from './keys.mjs';

// Standard output belongs to the ready line, and what the library warns of is meant here: login
// forms for development, state in memory, a Node that is old but works.
console.info = () => {};
console.warn = () => {};
const { default: Provider, errors } = await import('oidc-provider');

const SCOPE = 'orders.read orders.write profile.read';
const RESOURCES = new Map([
  ['https://api.example.com', { alg: 'RS256' }],
  ['https://es256.example.com', { alg: 'ES256' }],
  ['https://eddsa.example.com', { alg: 'EdDSA' }],
  ['https://other.example.com', { alg: 'RS256' }],
  ['https://short.example.com', { alg: 'RS256', seconds: 1 }],
]);

const CLIENTS = [
  {
    client_id: 'machine',
    client_secret: 'machine-secret',
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
  },
  {
    client_id: 'web',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code'],
    response_types: ['code'],
    redirect_uris: ['http://127.0.0.1/callback'],
  },
];

// Services of tests are on loopback, at a port that nobody knows before.
const ON_LOOPBACK = /^http:\/\/127\.0\.0\.1:\d+\//;

function resourceServer(_ctx, resource) {
  const known = RESOURCES.get(resource) ?? (ON_LOOPBACK.test(resource) && { alg: 'RS256' });
  if (!known) throw new errors.InvalidTarget();
  return {
    scope: SCOPE,
    accessTokenFormat: 'jwt',
    accessTokenTTL: known.seconds ?? 600,
    jwt: { sign: { alg: known.alg } },
  };
}

// No kid and no alg: oidc-provider names a key by its thumbprint, and says an alg only where the
// key can serve but one.
function newKeys() {
  const keys = [
    newKey('rsa', { modulusLength: 2048 }),
    newKey('ec', { namedCurve: 'P-256' }),
    newKey('ed25519'),
  ];
  return keys.map((key) => ({ ...key, use: 'sig' }));
}

// A provider cannot change its keys, so rotation puts a new one in the place of the old.
function newProvider(issuer) {
  const provider = new Provider(issuer, {
    clients: CLIENTS,
    jwks: { keys: newKeys() },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      resourceIndicators: { enabled: true, getResourceServerInfo: resourceServer },
    },
  });
  provider.on('server_error', (_ctx, error) => console.error(error));
  return provider.callback();
}

const ENDPOINTS = new Map([
  ['/jwks', 'jwks'],
  ['/.well-known/openid-configuration', 'discovery'],
  ['/.well-known/oauth-authorization-server', 'discovery'],
]);
const EMPTY = { jwks: '{"keys":[]}', discovery: '{}' };
const MODES = {
  503: (res) => res.writeHead(503).end(),
  hang: () => {},
  garbage: (res) => json(res, '{"keys":[{"kty":'),
  empty: (res, endpoint) => json(res, EMPTY[endpoint]),
};
const modes = { jwks: 'ok', discovery: 'ok' };
const hits = { jwks: 0, discovery: 0 };

function json(res, body) {
  res.writeHead(200, { 'content-type': 'application/json' }).end(body);
}

async function control(req, res) {
  const action = `${req.method} ${req.url}`;
  const endpoint = req.url.slice('/control/'.length);
  if (action === 'GET /control/stats') return json(res, JSON.stringify(hits));
  if (action === 'POST /control/rotate') {
    provider = newProvider(issuer);
    return res.writeHead(204).end();
  }
  if (req.method !== 'POST' || !Object.hasOwn(modes, endpoint)) return res.writeHead(404).end();

  const mode = await text(req);
  if (mode !== 'ok' && !Object.hasOwn(MODES, mode)) return res.writeHead(400).end();
  modes[endpoint] = mode;
  return res.writeHead(204).end();
}

function handle(req, res) {
  if (req.url.startsWith('/control/')) return control(req, res);

  const endpoint = ENDPOINTS.get(req.url);
  if (endpoint) {
    hits[endpoint] += 1;
    if (modes[endpoint] !== 'ok') return MODES[modes[endpoint]](res, endpoint);
  }
  return provider(req, res);
}

let issuer;
let provider;
const server = createServer(handle);
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  provider = newProvider(issuer);
  console.log(JSON.stringify({ issuer, control: `${issuer}/control` }));
});

// The pipe closes whatever way the test ends, so the server never outlives it.
process.stdin.on('close', () => process.exit(0)).resume();
