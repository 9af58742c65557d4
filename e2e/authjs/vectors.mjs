// Makes session/testdata/vectors.json:
//
//	node authjs/vectors.mjs > ../session/testdata/vectors.json
import { seal } from './session.mjs'

const secrets = ['first-kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0a', 'second-pQ8sT2wZ7bL4hF6gD0aR3eU9iOqXyE5']
const maxAge = 200 * 365 * 24 * 3600 // so that the vectors stay valid
const small = {
  ordinary: { sub: '4711', name: 'Ada Lovelace', email: 'ada@example.com', picture: 'https://example.com/ada.png' },
  empty: {},
  unicode: { sub: '林晓', name: '林晓 👩‍💻 \u2028 "quoted" \\ \u0000', email: 'lin@例え.jp', '🔑': 'e\u0301 שלום' },
  surrogates: { sub: 'x', half: '\ud83d', reversed: '\udfff\ud800' },
  nulls: { sub: 'x', name: null, email: null, picture: null },
  nested: { sub: 'x', roles: ['admin', { deep: [[[1.5, -2e10, true, null]]] }], userId: 'u1', accessToken: 'a'.repeat(900) },
  numbers: { sub: 'x', n: [0, -1, 0.1, 1e21, 5e-324, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER, 12345678901234567890] },
  odd: { sub: 5, name: { first: 'Ada' }, email: ['a', 'b'], '': false, '<b>&': 1 },
}
const large = {
  chunked: { sub: 'x', pad: 'x'.repeat(9000) },
  long: { sub: 'x', pad: '👩‍💻'.repeat(1500) },
}
const vectors = []
async function add(name, kind, claims, { secure = true, rotated = false } = {}) {
  const v4 = kind === 'v4'
  const cookieName = (secure ? '__Secure-' : '') + (v4 ? 'next-auth' : 'authjs') + '.session-token'
  const cookie = await seal({ name: cookieName, claims, secrets: rotated ? [secrets[1], secrets[0]] : secrets, secure, v4, gcm: kind === 'v5-gcm', maxAge })
  vectors.push({ name, kind, secure, secret: secrets[rotated ? 1 : 0], claims, cookie })
}
for (const [name, claims] of Object.entries(small)) {
  for (const kind of ['v5', 'v5-gcm', 'v4']) {
    for (const secure of [true, false]) {
      for (const rotated of [true, false]) {
        await add(name, kind, claims, { secure, rotated })
      }
    }
  }
}
for (const kind of ['v5', 'v5-gcm', 'v4']) await add('chunked', kind, large.chunked)
await add('long', 'v5', large.long)
console.log(JSON.stringify(vectors, null, 1))
