// Somebody signs out at Keycloak, whose page has the site's front-channel logout in a
// frame, and is signed out of the site.
import assert from 'node:assert/strict'
import { launch } from './look.mjs'

const [site, issuer, name, password] = process.argv.slice(2)

const browser = await launch()
const context = await browser.newContext({ locale: 'en-GB' })
const page = await context.newPage()
await page.goto(site + '/report')
await page.getByRole('button', { name: 'Continue with Keycloak' }).click()
await page.locator('#username').fill(name)
await page.locator('#password').fill(password)
await page.locator('#kc-login').click()
await page.waitForURL(site + '/report')

const other = await context.newPage()
const frames = []
other.on('response', r => { if (r.url().startsWith(site)) frames.push(r) })
const problems = []
other.on('console', m => { if (/Content Security Policy|X-Frame-Options/.test(m.text())) problems.push(m.text()) })
await other.goto(issuer + '/protocol/openid-connect/logout')
await other.locator('#kc-logout').click()
await other.locator('iframe').waitFor({ state: 'attached' })
await other.waitForLoadState('networkidle')
assert.deepEqual(frames.map(r => r.status()), [200])
assert.equal((await frames[0].request().allHeaders()).cookie, undefined, 'no cookie comes along')
assert.deepEqual(problems, [], 'the frame is shown')
assert.equal(await other.frames()[1].title(), 'Signed out')

await page.reload()
assert.match(page.url(), /\/api\/auth\/signin/)
await browser.close()
