// Somebody signs out of the site alone, and is signed in again without being asked; and
// then at the provider too.
import assert from 'node:assert/strict'
import { launch, look } from './look.mjs'

const [site, label, ...account] = process.argv.slice(2)

// asked waits for the provider's page that asks who somebody is; answer answers it.
const ways = {
  Certified: {
    asked: page => page.getByRole('link', { name: 'Ada Lovelace' }).waitFor(),
    answer: page => page.getByRole('link', { name: 'Ada Lovelace' }).click(),
    confirm: page => page.getByRole('button', { name: /^Yes/ }).click(),
  },
  Keycloak: {
    asked: page => page.locator('#kc-form-login').waitFor(),
    answer: async page => {
      await page.locator('#username').fill(account[0])
      await page.locator('#password').fill(account[1])
      await page.locator('#kc-login').click()
    },
    confirm: () => {}, // the ID token says whose session it is
  },
}
const way = ways[label]

const browser = await launch()
const context = await browser.newContext({ locale: 'en-GB' })
const problems = []
const open = async path => {
  const page = await context.newPage()
  page.on('console', m => { if (/Content Security Policy/.test(m.text())) problems.push(m.text()) })
  await page.goto(site + path)
  return page
}
const here = async page => assert.match(await page.textContent('body'), /ada/i)
const back = async page => {
  do await page.goBack()
  while (!page.url().startsWith(site))
  await page.waitForLoadState()
  assert.doesNotMatch(await page.textContent('body'), /ada/i, 'the back button shows nothing')
}
const begin = page => page.getByRole('button', { name: `Continue with ${label}` }).click()

const page = await open('/report')
await begin(page)
await way.asked(page)
await way.answer(page)
await page.waitForURL(site + '/report')
const second = await open('/second')
await here(second)

// Here alone: the page says where the person is still signed in, and they are.
await page.goto(site + '/api/auth/signout')
for (const [name, width, colorScheme] of [['phone', 375, 'light'], ['phone-dark', 375, 'dark'], ['desktop', 1280, 'light'], ['desktop-dark', 1280, 'dark']]) {
  await page.setViewportSize({ width, height: 700 })
  await page.emulateMedia({ colorScheme })
  await look(page, `signout-provider-${name}`, width)
}
await page.getByRole('button', { name: 'Sign out here only' }).click()
await page.waitForURL(/\/api\/auth\/signout\?provider=/)
assert.match(await page.textContent('main'), new RegExp(`You are still signed in at ${label}`))
await look(page, 'signed-out-provider', 1280)
await page.goto(site + '/report')
await begin(page)
await page.waitForURL(site + '/report')
await here(page)

// At the provider too. Back shows nothing, the other tab is out, and the provider asks.
await page.goto(site + '/api/auth/signout?callbackUrl=/bye')
await page.getByRole('button', { name: `Sign out at ${label} too` }).click()
await way.confirm(page)
await page.waitForURL(site + '/api/auth/signin?callbackUrl=%2Fbye')
await back(page)
await back(page)
await second.reload()
assert.equal(new URL(second.url()).pathname, '/api/auth/signin', 'the other tab is signed out too')
await begin(second)
await way.asked(second)
await way.answer(second)
await second.waitForURL(site + '/second')

assert.deepEqual(problems, [], 'nothing breaks the Content-Security-Policy')
await browser.close()
