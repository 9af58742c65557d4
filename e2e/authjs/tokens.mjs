// Reads jobs, a JSON array, from stdin; does each with @auth/core or next-auth v4;
// writes what came of it. A job seals claims into cookies, opens a token, or opens
// what a Cookie header brings. Want is what the claims should be.
import { Auth } from '@auth/core'
import { decode, encode, getToken } from '@auth/core/jwt'
import { EncryptJWT } from 'jose'
import v4 from 'next-auth-v4/jwt'
import { hkdfSync } from 'node:crypto'
import { text } from 'node:stream/consumers'
// Neither package exports what cuts a token into cookies.
import { SessionStore } from '../node_modules/@auth/core/lib/utils/cookie.js'
import v4cookie from '../node_modules/next-auth-v4/core/lib/cookie.js'

const quiet = { error() {}, warn() {}, debug() {} }

// canonical is JSON with the names in order. JSON.stringify escapes what is no
// Unicode, so that nothing is lost.
const sorted = (v) =>
  Array.isArray(v) ? v.map(sorted)
  : v && typeof v === 'object' ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, sorted(v[k])]))
  : v
const canonical = (v) => JSON.stringify(sorted(v))

const header = (cookies) => cookies.filter((c) => c.value).map((c) => `${c.name}=${c.value}`).join('; ')

// asAuth lets Auth.js itself write the session: its jwt callback says what is in it.
async function asAuth({ name, claims = {}, secrets, secure }) {
  const first = await encode({ token: {}, secret: secrets, salt: name })
  const response = await Auth(new Request(`http${secure ? 's' : ''}://app.example/auth/session`, { headers: { cookie: `${name}=${first}` } }), {
    providers: [], secret: secrets, trustHost: true, basePath: '/auth', logger: quiet, callbacks: { jwt: () => claims },
  })
  const cookies = response.headers.getSetCookie().map((line) => {
    const [pair] = line.split(';')
    const at = pair.indexOf('=')
    return { name: pair.slice(0, at), value: decodeURIComponent(pair.slice(at + 1)) }
  })
  return { cookie: header(cookies.filter((c) => c.name.startsWith(name))) }
}

async function seal(job) {
  const { name, claims = {}, secrets } = job
  if (job.v4) {
    const token = await v4.encode({ token: claims, secret: secrets[0] })
    return { token, cookie: header(new v4cookie.SessionStore({ name, options: {} }, {}, quiet).chunk(token, {})) }
  }
  if (!job.gcm) return await asAuth(job)
  const key = new Uint8Array(hkdfSync('sha256', secrets[0], name, `Auth.js Generated Encryption Key (${name})`, 32))
  const token = await new EncryptJWT(claims).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).setIssuedAt().setExpirationTime('30d').setJti(crypto.randomUUID()).encrypt(key)
  return { token, cookie: header(new SessionStore({ name, options: {} }, {}, quiet).chunk(token, {})) }
}

async function open({ name, cookie, token, secrets, secure, ...job }) {
  if (token && job.v4) return await v4.decode({ token, secret: secrets[0] })
  if (token) return await decode({ token, secret: secrets, salt: name })
  // The first of two cookies with one name counts.
  const cookies = Object.fromEntries(cookie.split('; ').reverse().map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
  if (job.v4) return await v4.getToken({ req: { headers: { cookie }, cookies }, secret: secrets[0], cookieName: name, logger: quiet })
  return await getToken({ req: { headers: { cookie } }, secret: secrets, secureCookie: secure, cookieName: name, logger: quiet })
}

const answers = []
for (const job of JSON.parse(await text(process.stdin))) {
  try {
    if (!job.token && !job.cookie) {
      answers.push(await seal(job))
      continue
    }
    const claims = await open(job)
    answers.push({ opened: claims !== null, same: canonical(claims) === canonical(job.want), claims: claims === null ? '' : canonical(claims) })
  } catch {
    answers.push({ opened: false })
  }
}
process.stdout.write(JSON.stringify(answers))
