// An RSA key and tokens that it signed, for bench/sidecar:
//
//     node tokens.mjs DIRECTORY ISSUER AUDIENCE ROTATION NEW
//
// Leaves jwks.json and public.pem in the directory, and tokens, one a line: `same` has one,
// `rotation` and `new` as many as are asked for, all of them different. `bad.json` has some that
// must not pass. The private key is never written.

import { createPrivateKey, createPublicKey, randomUUID, sign } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { newKey } from '../../tests/oidc-provider/keys.mjs'

const [directory, issuer, audience, rotation, fresh] = process.argv.slice(2)
const DAY = 24 * 60 * 60
// Signatures under way at once: enough for every thread of the pool.
const BATCH = 256

const privateKey = createPrivateKey({ key: newKey('rsa', { modulusLength: 2048 }), format: 'jwk' })
const publicKey = createPublicKey(privateKey)
const signed = promisify(sign)
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const header = encoded({ typ: 'at+jwt', alg: 'RS256', kid: 'bench' })
const now = Math.floor(Date.now() / 1000)

/** Twelve claims, as the tokens of the other benches have. */
async function token(other = {}) {
    const claims = encoded({
        iss: issuer,
        aud: audience,
        sub: '8c0e3f0a-1b7d-4c55-9a53-0d2f6b1f7e11',
        client_id: 'web',
        scope: 'orders.read orders.write invoices.read profile',
        tenant: 'acme-industries',
        email: 'alice.archer@example.com',
        name: 'Alice Archer',
        roles: ['reader', 'writer'],
        iat: now,
        exp: now + DAY,
        jti: randomUUID(),
        ...other,
    })
    const signature = await signed('RSA-SHA256', `${header}.${claims}`, privateKey)
    return `${header}.${claims}.${signature.toString('base64url')}`
}

async function mint(name, count) {
    const file = createWriteStream(join(directory, name))
    for (let left = count; left > 0; left -= BATCH) {
        const batch = await Promise.all(Array.from({ length: Math.min(BATCH, left) }, () => token()))
        if (!file.write(batch.join('\n') + '\n')) await once(file, 'drain')
    }
    file.end()
    await once(file, 'finish')
}

const jwk = { ...publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'bench' }
writeFileSync(join(directory, 'jwks.json'), JSON.stringify({ keys: [jwk] }))
writeFileSync(join(directory, 'public.pem'), publicKey.export({ format: 'pem', type: 'spki' }))

const [one, another] = [await token(), await token()]
const bad = {
    expired: await token({ iat: now - DAY, exp: now - DAY / 2 }),
    'of another issuer': await token({ iss: 'https://other.example.com' }),
    'for another audience': await token({ aud: 'https://other.example.com' }),
    'with the signature of another': one.replace(/[^.]*$/, another.split('.')[2]),
}
writeFileSync(join(directory, 'bad.json'), JSON.stringify(bad))

await mint('same', 1)
await mint('rotation', Number(rotation))
await mint('new', Number(fresh))
