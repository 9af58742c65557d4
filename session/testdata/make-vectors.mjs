// Makes vectors.json with the real packages:
//
//	npm install @auth/core@0.41.3 next-auth@4.24.15
//	node make-vectors.mjs > vectors.json
import { encode } from '@auth/core/jwt'
import v4 from 'next-auth/jwt'
import { hkdfSync } from 'node:crypto'
import { EncryptJWT } from 'jose'

const secrets = ['first-kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0a', 'second-pQ8sT2wZ7bL4hF6gD0aR3eU9iOqXyE5']
const maxAge = 200 * 365 * 24 * 3600 // so that the vectors stay valid
const payloads = {
  ordinary: { sub: '4711', name: 'Ada Lovelace', email: 'ada@example.com', picture: 'https://example.com/ada.png' },
  empty: {},
  unicode: { sub: '林晓', name: '林晓 👩‍💻 \u2028 "quoted" \\ \u0000', email: 'lin@例え.jp' },
  nulls: { sub: 'x', name: null, email: null, picture: null },
  nested: { sub: 'x', roles: ['admin', { deep: [[[1.5, -2e10, true, null]]] }], userId: 'u1', accessToken: 'a'.repeat(900) },
  odd: { sub: 5, name: { first: 'Ada' }, email: ['a', 'b'] },
  chunked: { sub: 'x', pad: 'x'.repeat(9000) },
}
const vectors = []
for (const [name, token] of Object.entries(payloads)) {
  for (const salt of ['authjs.session-token', '__Secure-authjs.session-token']) {
    for (const secret of secrets) {
      vectors.push({ name, kind: 'v5', salt, secret, claims: token, token: await encode({ token: { ...token }, secret, salt, maxAge }) })
    }
  }
  const salt = '__Secure-authjs.session-token'
  const key = new Uint8Array(hkdfSync('sha256', secrets[0], salt, `Auth.js Generated Encryption Key (${salt})`, 32))
  vectors.push({
    name, kind: 'v5-gcm', salt, secret: secrets[0], claims: token,
    token: await new EncryptJWT({ ...token }).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).setIssuedAt().setExpirationTime(Math.floor(Date.now() / 1000) + maxAge).setJti('x').encrypt(key),
  })
  vectors.push({ name, kind: 'v4', salt: 'next-auth.session-token', secret: secrets[0], claims: token, token: await v4.encode({ token: { ...token }, secret: secrets[0], maxAge }) })
}
console.log(JSON.stringify(vectors, null, 1))
