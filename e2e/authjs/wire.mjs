// Reads requests, answers each as Auth.js v5 or as next-auth v4 does, and writes
// what was answered.
import { text } from 'node:stream/consumers'
import { createRequire } from 'node:module'
import { Auth } from '@auth/core'
import Credentials from '@auth/core/providers/credentials'
import GitHub from '@auth/core/providers/github'

const require = createRequire(import.meta.url)
const { secret, code, issuer, cases } = JSON.parse(await text(process.stdin))
const origin = 'https://app.example'
const quiet = { error() {}, warn() {}, debug() {} }
const person = ({ code: given }) => given === code ? { id: 'code', name: 'Access code' } : null
const session = ({ session, token }) => ({ ...session, user: { ...session.user, id: token.sub } })
const jwt = ({ token, trigger, session }) => trigger === 'update' ? { ...token, name: session?.name ?? token.name } : token

const v5 = () => ({
  secret, trustHost: true, basePath: '/api/auth', logger: quiet, callbacks: { session, jwt },
  providers: [
    GitHub({ clientId: 'gh', clientSecret: 'gh-secret' }),
    { id: 'certified', name: 'Certified', type: 'oidc', issuer, clientId: 'app', clientSecret: 'x', checks: ['pkce', 'state', 'nonce'] },
    Credentials({ id: 'access-code', name: 'Access code', credentials: { code: {} }, authorize: person }),
  ],
})

async function answerV5({ url, method, headers, body }) {
  const r = await Auth(new Request(url, { method, headers, body: body || undefined, redirect: 'manual' }), v5())
  return {
    status: r.status, location: r.headers.get('location') ?? '', type: r.headers.get('content-type') ?? '',
    cache: r.headers.get('cache-control') ?? '', cookies: r.headers.getSetCookie(), body: await r.text(),
  }
}

process.env.NEXTAUTH_URL = origin
const NextAuth = require('next-auth-v4/next').default
const provider4 = name => { const m = require('next-auth-v4/providers/' + name); return m.default?.default ?? m.default ?? m }

async function answerV4({ url, method, headers, body }) {
  const { pathname, searchParams } = new URL(url)
  const jar = Object.fromEntries((headers.Cookie ?? '').split('; ').filter(Boolean).map(c => [c.slice(0, c.indexOf('=')), decodeURIComponent(c.slice(c.indexOf('=') + 1))]))
  const json = (headers['Content-Type'] ?? '').startsWith('application/json')
  const fields = body ? json ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body)) : {}
  const lower = Object.fromEntries(Object.entries({ host: 'app.example', ...headers }).map(([k, v]) => [k.toLowerCase(), v]))
  const a = { status: 200, location: '', type: '', cache: '', cookies: [], body: '' }
  const res = {
    status(s) { a.status = s; return res },
    getHeader: name => name.toLowerCase() === 'set-cookie' ? a.cookies : undefined,
    setHeader(name, value) {
      const at = { 'set-cookie': 'cookies', location: 'location', 'content-type': 'type', 'cache-control': 'cache' }[name.toLowerCase()]
      if (at) a[at] = at === 'cookies' ? [].concat(value) : value
      return res
    },
    json(v) { a.type = 'application/json'; a.body = JSON.stringify(v); return res },
    send(v) { a.body = typeof v === 'object' ? JSON.stringify(v) : v ?? ''; return res },
    end() { return res },
  }
  await NextAuth({ method, headers: lower, cookies: jar, body: fields, query: { ...Object.fromEntries(searchParams), nextauth: pathname.split('/').slice(3) } }, res, {
    secret, logger: quiet, useSecureCookies: true, callbacks: { session, jwt },
    providers: [provider4('github')({ clientId: 'gh', clientSecret: 'gh-secret' }), provider4('credentials')({ id: 'access-code', name: 'Access code', credentials: { code: {} }, authorize: person })],
  })
  return a
}

const answers = []
for (const c of cases) {
  try {
    answers.push(await (c.v4 ? answerV4(c) : answerV5(c)))
  } catch (e) {
    answers.push({ status: 599, location: '', type: '', cache: '', cookies: [], body: e.stack })
  }
}
console.log(JSON.stringify(answers))
