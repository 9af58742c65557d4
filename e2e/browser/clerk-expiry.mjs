// A person's session token ends while they look, and they do not notice; they sign
// out on another device, and it ends here.
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { launch } from './look.mjs'

const app = process.argv[2]
const life = parseFloat(process.argv[3]) * 1000

const browser = await launch()
const context = await browser.newContext({ locale: 'en-GB' })
const page = await context.newPage()
const token = async () => (await context.cookies(app)).find(c => /^__session_/.test(c.name))?.value
const claims = text => JSON.parse(Buffer.from(text.split('.')[1], 'base64url'))

await page.goto(app + '/report?year=2026')
await page.getByRole('link', { name: 'Ada Lovelace' }).click()
await page.waitForSelector('#who')

for (let round = 0; round < 2; round++) {
  const old = await token()
  await wait(life + 1000)
  assert.equal(await token(), old, 'the browser still has the cookie')
  assert.ok(claims(old).exp * 1000 < Date.now(), 'and what it holds has expired')

  const fetched = await page.evaluate(async () => (await fetch('/data')).status)
  assert.equal(fetched, 401, 'a fetch is not sent through a handshake')

  const places = []
  const note = r => { if (r.isNavigationRequest()) places.push(new URL(r.url()).pathname) }
  page.on('request', note)
  await page.goto(app + '/report?year=2026')
  page.off('request', note)
  assert.equal(await page.textContent('#who'), 'user_ada')
  assert.equal(new URL(page.url()).searchParams.get('year'), '2026', 'at the page that was asked for')
  assert.deepEqual(places, ['/report', '/__clerk/v1/client/handshake', '/report'])
  assert.notEqual(await token(), old)
  assert.equal(claims(await token()).sid, claims(old).sid, 'the same session')
}

assert.equal((await context.request.post(app + '/elsewhere')).status(), 200)
await wait(life + 1000)
await page.goto(app + '/report')
assert.equal(await page.locator('#who').count(), 0)
assert.equal(new URL(page.url()).pathname, '/__clerk/sign-in')
await browser.close()
console.log('expired twice, signed in; signed out elsewhere, out')
