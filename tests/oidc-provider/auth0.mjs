// oidc-provider with the manners of Auth0: its addresses, an issuer that ends in a slash, `audience`
// instead of `resource`, access tokens in Auth0's two profiles, refresh tokens that serve once, no
// question of consent for the company's own application.
//
//   node auth0.mjs <application>   where the application is at home, for its redirects; prints
//                                  {"issuer": …, "control": …} when ready, ends with its stdin
//
//   GET  /control/issued           {"tokens": every token up to now, "grants": {type: how often},
//                                  "asked": requests for tokens, good or bad}
//   POST /control/lifetimes        body: seconds of the next access tokens, separated by spaces; those
//                                  after them live a day, and negative ones have expired already
//   POST /control/down             the token endpoint answers 503 from now on; /control/up ends that
//   POST /control/hold             what the token endpoint answers next is held back; /control/held
//                                  answers when it is, and /control/release lets it go

import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { newKey } from './keys.mjs';

// Standard output belongs to the ready line.
console.info = () => {};
console.warn = () => {};
const { default: Provider, errors } = await import('oidc-provider');

const APPLICATION = process.argv[2];
const DAY = 24 * 60 * 60;
const SCOPE = 'read:orders create:orders import:orders';
// API identifiers, and the profile of their tokens.
const APIS = new Map([
  ['https://api.example.com', 'auth0'],
  ['https://rfc9068.example.com', 'rfc9068'],
]);
// As roles give them: whatever scope was asked for.
const PERMISSIONS = new Map([
  ['auth0|alice', ['read:orders', 'create:orders']],
  ['auth0|bob', ['read:orders']],
  ['auth0|carol', ['read:orders', 'import:orders']],
  ['worker@clients', ['read:orders', 'import:orders']],
]);
const CLIENTS = [
  {
    client_id: 'bff',
    client_secret: 'the-secret-of-the-bff',
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: [`${APPLICATION}/callback`],
    post_logout_redirect_uris: [`${APPLICATION}/`],
  },
  {
    client_id: 'worker',
    client_secret: 'the-secret-of-the-worker',
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
  },
];

// Promise.withResolvers, which Node.js 20 does not have.
function signal() {
  let resolve;
  const promise = new Promise((done) => { resolve = done; });
  return { promise, resolve };
}

let issuer;
let lifetimes = [];
let down = false;
let hold;
const issued = { tokens: [], grants: {}, asked: 0 };

function resourceServer(_ctx, audience) {
  if (!APIS.has(audience)) throw new errors.InvalidTarget();
  const seconds = Math.max(lifetimes[0] ?? DAY, 1);
  return { scope: SCOPE, accessTokenFormat: 'jwt', accessTokenTTL: seconds };
}

function accessToken(_ctx, token, jwt) {
  const { payload } = jwt;
  const profile = APIS.get(payload.aud);
  const machine = token.kind === 'ClientCredentials';
  if (machine) {
    payload.sub = `${payload.client_id}@clients`;
  } else {
    payload.aud = [payload.aud, `${issuer}userinfo`];
    payload.scope = 'openid offline_access';
  }
  payload.permissions = PERMISSIONS.get(payload.sub) ?? [];
  payload.exp = payload.iat + (lifetimes.shift() ?? DAY);
  if (profile === 'rfc9068') return;

  jwt.header = { typ: 'JWT' };
  payload.azp = payload.client_id;
  delete payload.client_id;
  delete payload.jti;
  if (machine) payload.gty = 'client-credentials';
}

async function noQuestions(ctx) {
  const { client, session, params, provider } = ctx.oidc;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope('openid offline_access');
  grant.addResourceScope(params.audience, SCOPE);
  await grant.save();
  return grant;
}

function newProvider() {
  const key = newKey('rsa', { modulusLength: 2048 });
  const provider = new Provider(issuer, {
    clients: CLIENTS,
    jwks: { keys: [{ ...key, use: 'sig', alg: 'RS256' }] },
    routes: {
      authorization: '/authorize',
      end_session: '/oidc/logout',
      jwks: '/.well-known/jwks.json',
      revocation: '/oauth/revoke',
      token: '/oauth/token',
      userinfo: '/userinfo',
    },
    extraParams: ['audience'],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, _client, oneOf) =>
          oneOf ?? ctx.oidc.params.audience ?? ctx.oidc.body?.audience,
        getResourceServerInfo: resourceServer,
        useGrantedResource: () => true,
      },
    },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    formats: { customizers: { jwt: accessToken } },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    loadExistingGrant: noQuestions,
    rotateRefreshToken: () => true,
  });
  provider.on('server_error', (_ctx, error) => console.error(error));
  provider.on('grant.success', ({ body, oidc }) => {
    const tokens = [body.access_token, body.refresh_token, body.id_token];
    issued.tokens.push(...tokens.filter((token) => token !== undefined));
    const type = oidc.params.grant_type;
    issued.grants[type] = (issued.grants[type] ?? 0) + 1;
  });
  return provider.callback();
}

async function control(req, res) {
  switch (`${req.method} ${req.url}`) {
    case 'GET /control/issued':
      res.setHeader('content-type', 'application/json');
      return res.end(JSON.stringify(issued));
    case 'POST /control/lifetimes':
      lifetimes = (await text(req)).split(' ').map(Number);
      return res.writeHead(204).end();
    case 'POST /control/down':
    case 'POST /control/up':
      down = req.url.endsWith('/down');
      return res.writeHead(204).end();
    case 'POST /control/hold':
      hold = { held: signal(), released: signal() };
      return res.writeHead(204).end();
    case 'POST /control/held':
      await hold.held.promise;
      return res.writeHead(204).end();
    case 'POST /control/release':
      hold.released.resolve();
      hold = undefined;
      return res.writeHead(204).end();
    default:
      return res.writeHead(404).end();
  }
}

// By then the request has had its effect.
function holdBack(res, { held, released }) {
  const end = res.end.bind(res);
  res.end = (...body) => {
    held.resolve();
    released.promise.then(() => end(...body));
  };
}

let provider;
const server = createServer((req, res) => {
  if (req.url.startsWith('/control/')) return control(req, res);
  if (req.url === '/oauth/token') {
    issued.asked += 1;
    if (down) return res.writeHead(503).end();
    if (hold) holdBack(res, hold);
  }
  return provider(req, res);
});
server.listen(0, '127.0.0.1', () => {
  const home = `http://127.0.0.1:${server.address().port}`;
  issuer = `${home}/`;
  provider = newProvider();
  console.log(JSON.stringify({ issuer, control: `${home}/control` }));
});

// The pipe closes whatever way the test ends, so the server never outlives it.
process.stdin.on('close', () => process.exit(0)).resume();
