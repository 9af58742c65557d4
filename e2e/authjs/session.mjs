// Sessions as @auth/core and next-auth v4 write and read them.
import { Auth } from '@auth/core'
import { decode, encode, getToken } from '@auth/core/jwt'
import { EncryptJWT } from 'jose'
import v4 from 'next-auth-v4/jwt'
import { hkdfSync } from 'node:crypto'
// Neither package exports what cuts a token into cookies.
import { SessionStore } from '../node_modules/@auth/core/lib/utils/cookie.js'
import v4cookie from '../node_modules/next-auth-v4/core/lib/cookie.js'

const quiet = { error() {}, warn() {}, debug() {} }

const header = (cookies) => cookies.filter((c) => c.value).map((c) => `${c.name}=${c.value}`).join('; ')

// asAuth lets Auth.js itself write the session: its jwt callback says what is in it.
async function asAuth({ name, claims = {}, secrets, secure, maxAge }) {
  const first = await encode({ token: {}, secret: secrets, salt: name })
  const response = await Auth(new Request(`http${secure ? 's' : ''}://app.example/auth/session`, { headers: { cookie: `${name}=${first}` } }), {
    providers: [], secret: secrets, session: { maxAge }, trustHost: true, basePath: '/auth', logger: quiet, callbacks: { jwt: () => claims },
  })
  const cookies = response.headers.getSetCookie().map((line) => {
    const [pair] = line.split(';')
    const at = pair.indexOf('=')
    return { name: pair.slice(0, at), value: decodeURIComponent(pair.slice(at + 1)) }
  })
  return header(cookies.filter((c) => c.name.startsWith(name)))
}

// seal makes a Cookie header of claims.
export async function seal(job) {
  const { name, claims = {}, secrets, maxAge = 30 * 24 * 3600 } = job
  if (job.v4) {
    const token = await v4.encode({ token: claims, secret: secrets[0], maxAge })
    return header(new v4cookie.SessionStore({ name, options: {} }, {}, quiet).chunk(token, {}))
  }
  if (!job.gcm) return await asAuth({ ...job, maxAge })
  const key = new Uint8Array(hkdfSync('sha256', secrets[0], name, `Auth.js Generated Encryption Key (${name})`, 32))
  const token = await new EncryptJWT(claims).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).setIssuedAt().setExpirationTime(Math.floor(Date.now() / 1000) + maxAge).setJti(crypto.randomUUID()).encrypt(key)
  return header(new SessionStore({ name, options: {} }, {}, quiet).chunk(token, {}))
}

// open returns the claims of a token or of a Cookie header, or null.
export async function open({ name, cookie, token, secrets, secure, ...job }) {
  if (token && job.v4) return await v4.decode({ token, secret: secrets[0] })
  if (token) return await decode({ token, secret: secrets, salt: name })
  // The first of two cookies with one name counts.
  const cookies = Object.fromEntries(cookie.split('; ').reverse().map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
  if (job.v4) return await v4.getToken({ req: { headers: { cookie }, cookies }, secret: secrets[0], cookieName: name, logger: quiet })
  return await getToken({ req: { headers: { cookie } }, secret: secrets, secureCookie: secure, cookieName: name, logger: quiet })
}
