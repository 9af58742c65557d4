// A page whose scripts are those of the guide for single-page applications.
import assert from 'node:assert/strict'
import { launch } from './look.mjs'

const [site, calls] = process.argv.slice(2)
const [signIn, signOut] = calls.trim().split('\n')
assert.match(signIn, /signin/)
assert.match(signOut, /signout/)

const browser = await launch()
const page = await (await browser.newContext({ locale: 'en-GB' })).newPage()
const problems = []
page.on('pageerror', e => problems.push(e.message))
const session = () => page.evaluate(async () => (await fetch('/api/auth/session')).json())
const run = script => page.evaluate(script => { setTimeout(script) }, script)

await page.goto(site + '/start?tab=2')
assert.equal(await session(), null)

await run('call("/api/reports")')
await page.waitForURL(site + '/api/auth/signin?callbackUrl=%2Fstart%3Ftab%3D2')
await page.getByRole('button', { name: /github/i }).click()
await page.waitForURL(site + '/start?tab=2')
assert.equal((await session()).user.id, 'ada')
assert.equal(await page.evaluate('call("/api/reports").then(answer => answer.text())'), 'reports of ada')

await run(signOut)
await page.waitForURL(site + '/')
assert.equal(await session(), null)

await run(signIn)
await page.waitForURL(site + '/reports')
assert.equal((await session()).user.id, 'ada')
assert.deepEqual(problems, [])
await browser.close()
