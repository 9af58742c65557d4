// Two browsers of one person: the one signs the other out, and then itself everywhere.
import assert from 'node:assert/strict'
import { launch, look } from './look.mjs'

const [site] = process.argv.slice(2)
const browser = await launch()

async function person(userAgent, options = {}) {
  const context = await browser.newContext({ userAgent, ...options })
  const page = await context.newPage()
  page.on('console', (message) => assert.fail(message.text()))
  await page.goto(`${site}/page`)
  await page.getByRole('button', { name: 'Continue with corp' }).click()
  await page.waitForURL(`${site}/page`)
  return page
}

const laptop = await person('Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' })
const phone = await person('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1', {
  viewport: { width: 375, height: 700 },
})

await laptop.goto(`${site}/api/auth/signout`)
await laptop.getByRole('link', { name: 'Where you are signed in' }).click()
assert.deepEqual(await laptop.locator('h2').allTextContents(), ['Firefox, Linux', 'Safari, iPhone'])
assert.equal(await laptop.locator('li:has-text("Firefox") .current').count(), 1)
await look(laptop, 'sessions-desktop', 1280)
await phone.goto(`${site}/api/auth/sessions`)
await look(phone, 'sessions-phone', 375)

// The phone goes, and its next request says so; Back shows nothing that it saw.
await laptop.getByRole('button', { name: 'Sign out: Safari, iPhone' }).click()
await laptop.waitForURL(`${site}/api/auth/sessions`)
assert.deepEqual(await laptop.locator('h2').allTextContents(), ['Firefox, Linux'])
await phone.goto(`${site}/page`)
assert.equal(await phone.locator('h1').textContent(), `Sign in to ${new URL(site).hostname}`)

await phone.getByRole('button', { name: 'Continue with corp' }).click()
await phone.waitForURL(`${site}/page`)
await laptop.reload()
assert.equal(await laptop.locator('li').count(), 2)
await laptop.getByRole('button', { name: 'Sign out everywhere', exact: true }).click()
await laptop.waitForURL(`${site}/api/auth/signout`)
assert.equal(await laptop.locator('h1').textContent(), 'You are signed out')
for (const page of [laptop, phone]) {
  await page.goto(`${site}/page`)
  assert.equal(await page.locator('h1').textContent(), `Sign in to ${new URL(site).hostname}`)
}
await browser.close()
