// Somebody signs in at Keycloak's own login page in Chromium, and in a second tab while
// the first is still open.
import assert from 'node:assert/strict'
import { launch } from './look.mjs'

const [site, name, password] = process.argv.slice(2)

const browser = await launch()
const context = await browser.newContext({ locale: 'en-GB' })
const problems = []

// begin opens a protected page and goes to Keycloak.
const begin = async () => {
  const page = await context.newPage()
  page.on('console', m => { if (/Content Security Policy/.test(m.text()) && m.location().url.startsWith(site)) problems.push(m.text()) })
  await page.goto(site + '/report?year=2026')
  await page.getByRole('button', { name: 'Continue with Keycloak' }).click()
  await page.locator('#kc-form-login').waitFor()
  return page
}
const arrived = async page => {
  await page.waitForURL(site + '/report?year=2026')
  assert.match(await page.textContent('body'), new RegExp(`${name}@example.com`))
}

const first = await begin()
const second = await begin()
await second.locator('#username').fill(name)
await second.locator('#password').fill(password)
await second.locator('#kc-login').click()
await arrived(second)
console.log('signed in')

// Keycloak's page in the first tab sees that, and goes on by itself.
await arrived(first)
console.log('signed in in the other tab')

assert.deepEqual(problems, [], 'nothing breaks the Content-Security-Policy')
await browser.close()
