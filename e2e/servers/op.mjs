// A certified OpenID provider with a page for people, and none for tests that
// name the person: login_hint signs in, "deny" declines. Everybody can sign in as acr_values
// wants, if it is one that there is.
import { generateKeyPairSync } from 'node:crypto'
import { Provider } from 'oidc-provider'

const { ISSUER, PORT, REDIRECT_URIS, POST_LOGOUT_REDIRECT_URIS, BACKCHANNEL_LOGOUT_URI } = process.env
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
const acrValues = ['pwd', 'mfa']
const people = { ada: 'Ada Lovelace', lin: '林晓' }

const provider = new Provider(ISSUER, {
  clients: [{ client_id: 'app', client_secret: 'a-secret-for-tests-only-0123456789', redirect_uris: REDIRECT_URIS.split(' '),
    grant_types: ['authorization_code', 'client_credentials', 'refresh_token'],
    post_logout_redirect_uris: POST_LOGOUT_REDIRECT_URIS?.split(' ') ?? [],
    ...BACKCHANNEL_LOGOUT_URI && { backchannel_logout_uri: BACKCHANNEL_LOGOUT_URI, backchannel_logout_session_required: true } },
  { client_id: 'cli', token_endpoint_auth_method: 'none', application_type: 'native', redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'] }],
  acrValues,
  jwks: { keys: [{ ...key, use: 'sig', alg: 'RS256', kid: 'one' }] },
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: process.env.USERINFO === '1',
  rotateRefreshToken: true, // each is good for one use; a second one ends them all
  ttl: process.env.ACCESS_SECONDS ? { AccessToken: Number(process.env.ACCESS_SECONDS) } : {},
  pkce: { required: () => true },
  cookies: { keys: ['only-for-tests'] },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: process.env.PUSHED === '1' },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({ scope: 'read write', accessTokenTTL: 60, accessTokenFormat: resource.startsWith('urn:jwt') ? 'jwt' : 'opaque', jwt: { sign: { alg: 'RS256' } } }),
    },
  },
  fetch: (url, { dispatcher, ...options }) => fetch(url, options), // its own reaches no loopback address
  interactions: { url: (_, interaction) => `/choose/${interaction.uid}` },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, name: people[sub] ?? sub, email: `${sub}@example.com`, email_verified: true }) }),
})

const page = uid => `<!DOCTYPE html><html lang="en"><title>Choose</title><main><h1>Who are you?</h1>
${Object.entries(people).map(([id, name]) => `<p><a href="/choose/${uid}?as=${id}">${name}</a></p>`).join('')}
<p><a href="/choose/${uid}?as=deny">No thanks</a></p></main></html>`

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/choose/')) return next()
  const { params, uid } = await provider.interactionDetails(ctx.req, ctx.res)
  const who = ctx.query.as ?? params.login_hint
  if (!who) {
    ctx.type = 'html'
    ctx.body = page(uid)
    return
  }
  ctx.respond = false
  if (who === 'deny') return provider.interactionFinished(ctx.req, ctx.res, { error: 'access_denied' })
  const acr = params.acr_values?.split(' ').find(value => acrValues.includes(value)) ?? 'pwd'
  const grant = new provider.Grant({ accountId: who, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: who, acr }, consent: { grantId: await grant.save() } })
})

provider.on('backchannel.error', (ctx, err) => console.error(err.message))
provider.listen(Number(PORT), '127.0.0.1')
