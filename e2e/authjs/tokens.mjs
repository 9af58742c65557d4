// Reads jobs, a JSON array, from stdin; does each; writes what came of it. A job
// seals claims into cookies, or opens a token or what a Cookie header brings. Want
// is what the claims should be.
import { text } from 'node:stream/consumers'
import { open, seal } from './session.mjs'

// canonical is JSON with the names in order. JSON.stringify escapes what is no
// Unicode, so that nothing is lost.
const sorted = (v) =>
  Array.isArray(v) ? v.map(sorted)
  : v && typeof v === 'object' ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, sorted(v[k])]))
  : v
const canonical = (v) => JSON.stringify(sorted(v))

const answers = []
for (const job of JSON.parse(await text(process.stdin))) {
  try {
    if (!job.token && !job.cookie) {
      answers.push({ cookie: await seal(job) })
      continue
    }
    const claims = await open(job)
    answers.push({ opened: claims !== null, same: canonical(claims) === canonical(job.want), claims: claims === null ? '' : canonical(claims) })
  } catch {
    answers.push({ opened: false })
  }
}
process.stdout.write(JSON.stringify(answers))
