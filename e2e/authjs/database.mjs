// An application of next-auth with @auth/pg-adapter, without Next.js around it: its
// routes at /api/auth, at /who the name of who is signed in, at /rename another name for
// them. It prints its port.
import { createServer } from 'node:http'
import { register } from 'node:module'
import { text } from 'node:stream/consumers'
import PostgresAdapter from '@auth/pg-adapter'
import pg from 'pg'

// next-auth imports modules of Next.js as a bundler finds them: without an extension.
register('data:text/javascript,' + encodeURIComponent(
  `export const resolve = (name, context, next) => next(/^next\\/\\w+$/.test(name) ? name + '.js' : name, context)`))
const { default: NextAuth } = await import('next-auth')
const { NextRequest } = (await import('next/server.js')).default

const { DATABASE_URL, ISSUER, SECRET } = process.env
const adapter = PostgresAdapter(new pg.Pool({ connectionString: DATABASE_URL }))
const provider = (id, type) => ({
  id, name: id, type, issuer: ISSUER, clientId: 'app', clientSecret: 'app', checks: ['pkce', 'state'], wellKnown: `${ISSUER}/.well-known/openid-configuration`,
})
const { auth, handlers } = NextAuth({
  adapter, secret: SECRET, trustHost: true, basePath: '/api/auth', pages: { signIn: '/hello' },
  providers: [provider('one', 'oidc'), provider('two', 'oidc')],
  logger: { error() {}, warn() {}, debug() {} },
})

const who = auth(async (request) => {
  const user = request.auth?.user
  if (request.nextUrl.pathname === '/rename') await adapter.updateUser({ id: user.id, name: request.nextUrl.searchParams.get('name') })
  return Response.json(user?.name ?? null)
})

const server = createServer(async (req, res) => {
  const body = req.method === 'POST' ? await text(req) : undefined
  const headers = { ...req.headers, 'x-forwarded-proto': 'http' } // as Next.js has it
  const request = new NextRequest(new Request(`http://${req.headers.host}${req.url}`, { method: req.method, headers, body }))
  const answer = req.url.startsWith('/api/auth/') ? await handlers[req.method](request)
    : req.url.startsWith('/hello') ? Response.json('hello') : await who(request, {})
  for (const [name, value] of answer.headers) if (name !== 'set-cookie') res.setHeader(name, value)
  res.setHeader('set-cookie', answer.headers.getSetCookie())
  res.writeHead(answer.status).end(await answer.text())
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
