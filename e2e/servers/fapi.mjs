// A certified OpenID provider by the FAPI 2.0 Security Profile, over TLS, which asks for
// certificates and for nonces in proofs. login_hint signs in.
import { X509Certificate, generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:https'
import { Provider } from 'oidc-provider'

const { ISSUER, PORT, CLIENT, CERTIFICATE, KEY } = process.env
const jwk = (type, options, alg) => ({ ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid: alg })
const people = { ada: 'Ada Lovelace' }
const signs = ['PS256', 'ES256', 'EdDSA']

const provider = new Provider(ISSUER, {
  clients: [JSON.parse(CLIENT)],
  jwks: { keys: [jwk('rsa', { modulusLength: 2048 }, 'PS256'), jwk('ec', { namedCurve: 'P-256' }, 'ES256'), jwk('ed25519', {}, 'EdDSA')] },
  claims: { openid: ['sub'], profile: ['name'] },
  scopes: ['openid', 'offline_access'],
  ttl: { AccessToken: 30 }, // due at once
  cookies: { keys: ['only-for-tests'] },
  clientAuthMethods: ['private_key_jwt', 'self_signed_tls_client_auth', 'tls_client_auth'],
  enabledJWA: { clientAuthSigningAlgValues: signs, idTokenSigningAlgValues: signs, requestObjectSigningAlgValues: signs, dPoPSigningAlgValues: signs },
  features: {
    devInteractions: { enabled: false },
    fapi: { enabled: true, profile: '2.0' },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
    requestObjects: { enabled: true },
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => true },
    mTLS: {
      enabled: true, certificateBoundAccessTokens: true, selfSignedTlsClientAuth: true, tlsClientAuth: true,
      getCertificate: ctx => ctx.socket.getPeerX509Certificate()?.toString(),
      certificateAuthorized: ctx => ctx.socket.authorized,
      certificateSubjectMatches: (ctx, property, expected) =>
        property === 'tls_client_auth_subject_dn' && new X509Certificate(ctx.socket.getPeerX509Certificate().toString()).subject === expected,
    },
  },
  interactions: { url: (_, interaction) => `/choose/${interaction.uid}` },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, name: people[sub] ?? sub }) }),
})

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/choose/')) return next()
  const { params } = await provider.interactionDetails(ctx.req, ctx.res)
  ctx.respond = false
  const grant = new provider.Grant({ accountId: params.login_hint, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: params.login_hint }, consent: { grantId: await grant.save() } })
})

provider.on('server_error', (ctx, err) => console.error(err))
createServer({ key: KEY, cert: CERTIFICATE, ca: CERTIFICATE, requestCert: true, rejectUnauthorized: false }, provider.callback()).listen(Number(PORT), '127.0.0.1')
