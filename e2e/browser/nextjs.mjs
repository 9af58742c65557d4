// A person's way through examples/nextjs in Chromium, whichever side signs in:
// Next.js on the server, useSession and Go agree at every step.
import assert from 'node:assert/strict'
import { age, launch, look } from './look.mjs'

const [app, side, secret, other] = process.argv.slice(2)

const browser = await launch()

const kinds = [
  { name: 'phone-dark', options: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, colorScheme: 'dark' }, person: 'Ada Lovelace', subject: 'ada' },
  { name: 'desktop-light', options: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' }, person: '林晓', subject: 'linxiao' },
]

// What one sees is the same over https.
for (const { name, options, person, subject } of app.startsWith('https:') ? kinds.slice(0, 1) : kinds) {
  const context = await browser.newContext({ ...options, locale: 'en-GB', ignoreHTTPSErrors: true })
  const shoot = (page, what) => look(page, `nextjs-${side}-${new URL(app).protocol.slice(0, -1)}-${name}-${what}`, options.viewport.width)
  const all = async (page, text) => {
    for (const card of ['#server', '#browser', '#go']) await page.locator(card, { hasText: text }).waitFor()
  }
  const nobody = page => all(page, 'Nobody is signed in.')
  const signedIn = async page => {
    await all(page, person)
    await all(page, new RegExp(`Subject${subject}`))
  }

  const page = await context.newPage()
  await page.goto(app)
  await nobody(page)
  await shoot(page, 'out')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('link', { name: person }).click()
  await page.waitForURL(app + '/')
  await signedIn(page)
  await shoot(page, 'in')
  await page.reload()
  await signedIn(page)

  // Cookies know no ports: the same browser, where the other side signs in.
  await page.goto(other)
  await signedIn(page)
  await page.goto(app)

  const second = await context.newPage()
  await second.goto(app)
  await signedIn(second)
  const asked = second.waitForResponse(app + '/api/auth/session')
  await second.getByRole('button', { name: 'Update' }).click()
  assert.equal((await (await asked).json()).user.name, person)
  await signedIn(second)

  // Signed out in one tab, the other one notices by itself.
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  await nobody(page)
  await nobody(second)

  // Go's own address, opened signed out, leads to the sign-in and back. Over https
  // Go's page lets its forms lead to https alone, and the provider here has none.
  await page.goto(app + '/api/go/hello')
  assert.equal(new URL(page.url()).pathname, '/api/auth/signin')
  const back = side === 'go' && app.startsWith('https:') ? '/' : '/api/go/hello'
  if (back === '/') await page.goto(app)
  await page.getByRole('button', { name: /Demo|Sign in/ }).click()
  await page.getByRole('link', { name: person }).click()
  await page.waitForURL(app + back)
  await page.getByText(person).first().waitFor()

  // A session that is over is over for all three. A page would ask for it, and Auth.js
  // seal it anew, meanwhile.
  await second.close()
  await page.goto(app)
  await signedIn(page)
  await page.goto('about:blank')
  await age(context, app, secret)
  await page.goto(app)
  await nobody(page)
  await context.close()
  console.log(`${name}: ${side} signed ${person} in and out`)
}
await browser.close()
