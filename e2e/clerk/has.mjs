// Reads { options, tokens: [{ token, asks }], webhooks: [...], redirects: [...] } from
// stdin and writes what Clerk's has() and verifyWebhook() say of each, and where
// redirectToSignIn() and redirectToSignUp() lead.
import { createClerkClient } from '@clerk/backend'
import { createRedirect } from '@clerk/backend/internal'
import { verifyWebhook } from '@clerk/backend/webhooks'
import { text } from 'node:stream/consumers'

console.error = console.warn = console.log = () => {}
const { options, tokens, webhooks, redirects } = JSON.parse(await text(process.stdin))
const client = createClerkClient({ ...options, telemetry: { disabled: true } })
const has = []
for (const { token, asks } of tokens) {
  const state = await client.authenticateRequest(new Request('https://www.example.com/', { headers: { Authorization: `Bearer ${token}` } }))
  for (const ask of asks) {
    try { has.push(state.toAuth()?.has(ask) ?? false) } catch { has.push(false) }
  }
}
const verified = []
for (const { secret, headers, body } of webhooks) {
  try {
    await verifyWebhook(new Request('https://www.example.com/', { method: 'POST', headers, body }), { signingSecret: secret })
    verified.push(true)
  } catch { verified.push(false) }
}
const answers = redirects.map(({ returnBackUrl, pending, ...params }) => {
  const to = createRedirect({ ...params, redirectAdapter: url => url, sessionStatus: pending ? 'pending' : null })
  return { signIn: to.redirectToSignIn({ returnBackUrl }), signUp: to.redirectToSignUp({ returnBackUrl }) }
})
process.stdout.write(JSON.stringify({ has, verified, redirects: answers }))
