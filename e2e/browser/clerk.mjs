// A person's way through examples/clerk in Chromium: signs in, loses the session's
// token and does not notice, signs out in another tab.
import assert from 'node:assert/strict'
import { launch, look } from './look.mjs'

const app = process.argv[2]

const browser = await launch()

const kinds = [
  { name: 'phone-dark', options: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, colorScheme: 'dark' } },
  { name: 'desktop-light', options: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' } },
]

for (const { name, options } of kinds) {
  const context = await browser.newContext({ ...options, locale: 'en-GB' })
  const page = await context.newPage()
  const shoot = what => look(page, `clerk-${name}-${what}`, options.viewport.width)
  await page.goto(app + '/account?tab=profile')
  await shoot('signin')
  await page.getByRole('link', { name: 'Ada Lovelace' }).click()
  await page.waitForSelector('#who')
  assert.equal(await page.textContent('#who'), 'user_ada')
  assert.equal(await page.textContent('#name'), 'Ada Lovelace')
  assert.equal(await page.textContent('#email'), 'ada@example.com')
  assert.equal(new URL(page.url()).searchParams.get('tab'), 'profile', 'back on the page, its query with it')
  await shoot('account')

  await page.goto(app + '/account')
  assert.equal(await page.textContent('#who'), 'user_ada', 'and stays signed in')

  // The token is lost: a handshake brings another, unnoticed.
  await context.clearCookies({ name: /^__session/ })
  await page.goto(app + '/account')
  assert.equal(await page.textContent('#who'), 'user_ada')
  assert.equal(new URL(page.url()).host, new URL(app).host)

  // Signed out in another tab, it ends here.
  const other = await context.newPage()
  await other.goto(app + '/api/auth/signout')
  await other.getByRole('button', { name: 'Sign out' }).click()
  await other.waitForLoadState()
  await page.goto(app + '/account')
  assert.equal(await page.locator('#who').count(), 0)
  assert.equal(new URL(page.url()).pathname, '/__clerk/sign-in')
  await context.close()
  console.log(`${name}: signed in, handshake, out`)
}
await browser.close()
