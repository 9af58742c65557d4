// Reads cases, a JSON array, from stdin; asks @clerk/backend about each; writes
// what it decided.
import { createClerkClient } from '@clerk/backend'
import { text } from 'node:stream/consumers'

console.error = console.warn = console.log = () => {}
const names = ['Cache-Control', 'Access-Control-Allow-Origin', 'Access-Control-Allow-Credentials', 'X-Clerk-Auth-Status', 'X-Clerk-Auth-Reason']
const answers = []
for (const { url, method, headers, keys, options } of JSON.parse(await text(process.stdin))) {
  try {
    const client = createClerkClient({ ...keys, telemetry: { disabled: true } })
    const state = await client.authenticateRequest(new Request(url, { method, headers }), options)
    const program = state.status === 'signed-in' && state.tokenType !== 'session_token' ? state.toAuth() : {}
    answers.push({
      name: program.name ?? '', scopes: program.scopes ?? null, claims: program.claims ?? null,
      status: state.status, reason: state.reason ?? '', user: state.status !== 'signed-in' ? '' : state.tokenType === 'session_token' ? state.toAuth({ treatPendingAsSignedOut: false }).userId : state.toAuth().subject,
      location: state.headers.get('location') ?? '', cookies: state.headers.getSetCookie(),
      headers: Object.fromEntries(names.map(name => [name, state.headers.get(name)]).filter(([, value]) => value)),
    })
  } catch (e) {
    answers.push({ error: String(e.message ?? e) })
  }
}
process.stdout.write(JSON.stringify(answers))
