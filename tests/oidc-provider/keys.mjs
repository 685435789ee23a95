// New signing keys.

import { createPrivateKey, generateKeyPairSync } from 'node:crypto';

// A private key as JWK. By way of PEM: Node.js 20 holds a mutex of the key while it exports it as
// JWK, and when the garbage collector runs there and takes away what generated the key, that waits
// for the same mutex for ever. One start in 250 hung so.
export function newKey(type, options = {}) {
  const { privateKey } = generateKeyPairSync(type, {
    ...options,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return createPrivateKey(privateKey).export({ format: 'jwk' });
}
