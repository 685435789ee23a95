// oidc-provider configured to be another system: its clients, its claims, its place for keys.
//
//   node system.mjs CONFIG     prints {"issuer": …} when ready, ends with its stdin
//
// CONFIG is JSON: alg, scope, jwksPath, header (added to that of access tokens), without (claims that
// they lack), claims (added to all), person (added where a person has signed in, whose name is
// user@tenant; {tenant} stands for the part behind the @), and clients: those of oidc-provider, each
// with the claims that its own tokens have.

import { createServer } from 'node:http';
import { newKey } from './keys.mjs';

console.info = () => {};
console.warn = () => {};
const { default: Provider } = await import('oidc-provider');

const config = JSON.parse(process.argv[2]);
const claimsOf = new Map(config.clients.map(({ client_id, claims }) => [client_id, claims ?? {}]));
const isThere = ([, value]) => value !== null;
const clients = config.clients.map(({ claims, audience, ...client }) =>
  Object.fromEntries(Object.entries(client).filter(isThere)));
const audienceOf = new Map(config.clients.map(({ client_id, audience }) => [client_id, audience]));

function filled(claims, tenant) {
  return JSON.parse(JSON.stringify(claims ?? {}).replaceAll('{tenant}', tenant));
}

function customize(_ctx, token, jwt) {
  const tenant = token.accountId?.split('@')[1] ?? '';
  Object.assign(jwt.header ??= {}, config.header);
  Object.assign(jwt.payload, config.claims, claimsOf.get(token.clientId));
  if (token.accountId) Object.assign(jwt.payload, filled(config.person, tenant));
  const audience = audienceOf.get(token.clientId);
  if (audience) jwt.payload.aud = audience;
  for (const name of config.without ?? []) {
    // oidc-provider insists on an audience; what cannot be enumerated is not written.
    Object.defineProperty(jwt.payload, name, { value: 'none', enumerable: false });
  }
}

const RESOURCE = 'https://resource.example';
const key = newKey('rsa', { modulusLength: 2048 });

const server = createServer((req, res) => handle(req, res));
let handle;
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients,
    jwks: { keys: [{ ...key, use: 'sig' }] },
    routes: config.jwksPath ? { jwks: config.jwksPath } : {},
    formats: { customizers: { jwt: customize } },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: config.scope,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  provider.on('server_error', (_ctx, error) => console.error(error));
  handle = provider.callback();
  console.log(JSON.stringify({ issuer, control: issuer }));
});

process.stdin.on('close', () => process.exit(0)).resume();
