// Answers that come as a form from another site, in Chromium: Apple's by https, a
// certified provider's by http. What counts is which cookies come with what.
import assert from 'node:assert/strict'
import { launch } from './look.mjs'

const [rules, secure, local] = process.argv.slice(2)
const browser = await launch(`--host-resolver-rules=${rules}`)

const sites = [
  { app: secure, id: 'apple', go: 'Continue with Apple', name: 'Ada Lovelace', attempt: '__Host-authjs.txn.', choose: page => page.getByRole('button', { name: 'ada@example.com' }).click() },
  { app: local, id: 'certified', go: 'Continue with Certified', name: 'Ada Lovelace', attempt: 'authjs.txn.', choose: page => page.getByRole('link', { name: 'Ada Lovelace' }).click() },
]

for (const { app, id, go, name, attempt, choose } of sites) {
  const context = await browser.newContext({ locale: 'en-GB', ignoreHTTPSErrors: true })
  const page = await context.newPage()
  const callbacks = []
  page.on('request', r => { if (new URL(r.url()).pathname === `/api/auth/callback/${id}`) callbacks.push(r) })
  const problems = []
  page.on('console', m => { if (/Content Security Policy/.test(m.text())) problems.push(m.text()) })

  const signIn = async path => {
    callbacks.length = 0
    await page.goto(app + path)
    await page.getByRole('button', { name: go }).click()
    await choose(page)
    await page.waitForURL(app + path)
  }
  await signIn('/report?year=2026')
  assert.equal(await page.textContent('h1'), `Hello ${name}`)
  assert.match(await page.textContent('#who'), new RegExp(`^${id} `))

  const sent = await Promise.all(callbacks.map(async r => [r.method(), (await r.allHeaders()).cookie ?? '', r.headers()['sec-fetch-site'] ?? (await r.allHeaders())['sec-fetch-site']]))
  assert.deepEqual(sent.map(([method, cookies, site]) => [method, cookies.includes(attempt), site]), [['POST', false, 'cross-site'], ['GET', true, 'cross-site']],
    'the attempt comes with the GET, and with the form it does not')
  assert.equal(sent[0][1], '', 'nor does any other cookie')
  assert.ok(!callbacks[1].url().includes('example.com%22') && !callbacks[1].url().includes('email'), 'no address stands in the URL')
  assert.ok(!(await context.cookies(app)).some(c => c.name.startsWith(attempt)), 'the attempt is used up')

  // The back button passes over the callback.
  await page.goto(app + '/next')
  await page.goBack()
  assert.equal(page.url(), app + '/report?year=2026')

  // Another site's form, with an answer of its own, signs nobody in.
  await context.clearCookies()
  await page.goto('about:blank')
  await page.setContent(`<form method="post" action="${app}/api/auth/callback/${id}"><input name="state" value="stolen"><input name="code" value="mallory"></form>`)
  await Promise.all([page.waitForURL(url => !url.href.startsWith(app) && url.href !== 'about:blank'), page.evaluate(() => document.forms[0].submit())])
  await page.goto(app + '/report')
  assert.equal(new URL(page.url()).pathname, '/api/auth/signin')

  assert.deepEqual(problems, [], 'nothing breaks the Content-Security-Policy')
  await context.close()
  console.log(`${id}: in by form, back, and nobody by another site's form`)
}
await browser.close()
