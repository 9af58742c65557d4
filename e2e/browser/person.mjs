// A person's whole way, in Chromium: phone, dark and Chinese, then desktop, light
// and English. Prints a line for each thing seen; any failure ends with status 1.
import assert from 'node:assert/strict'
import { launch, look } from './look.mjs'

const app = process.argv[2]

const browser = await launch()

const kinds = [
  { name: 'phone-dark-zh', options: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, colorScheme: 'dark', locale: 'zh-CN' }, words: { go: '使用 Certified 登录', out: '仅退出本站', declined: '登录已取消' } },
  { name: 'desktop-light-en', options: { viewport: { width: 1280, height: 800 }, colorScheme: 'light', locale: 'en-GB' }, words: { go: 'Continue with Certified', out: 'Sign out here only', declined: 'You did not sign in' } },
]

for (const { name, options, words } of kinds) {
  const context = await browser.newContext(options)
  const problems = []
  const shoot = (page, what) => look(page, `${name}-${what}`, options.viewport.width)
  const open = async path => {
    const page = await context.newPage()
    page.on('console', m => { if (m.type() === 'error' && /Content Security Policy/.test(m.text())) problems.push(m.text()) })
    await page.goto(app + path)
    return page
  }

  // A protected page leads to the sign-in page, the provider, and back.
  const page = await open('/report?year=2026&q=%C3%A4')
  assert.equal(new URL(page.url()).pathname, '/api/auth/signin')
  await shoot(page, 'signin')
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'BUTTON', 'the keyboard reaches the first button at once')

  // Two tabs begin before either ends.
  const second = await open('/second')
  await page.getByRole('button', { name: words.go }).click()
  await second.getByRole('button', { name: words.go }).click()
  await page.getByRole('link', { name: 'Ada Lovelace' }).click()
  await page.waitForURL(app + '/report?year=2026&q=%C3%A4')
  assert.match(await page.textContent('#who'), /^certified ada$/)
  await second.getByRole('link', { name: 'Ada Lovelace' }).click()
  await second.waitForURL(app + '/second')

  // Still signed in: after a reload, in another tab.
  await page.reload()
  assert.match(await page.textContent('h1'), /Ada Lovelace/)
  const third = await open('/third')
  assert.equal(await third.textContent('#at'), '/third')

  // Sign out. The back button shows nothing.
  await third.getByRole('link', { name: 'Sign out' }).click()
  await shoot(third, 'signout')
  await third.getByRole('button', { name: words.out }).click()
  await third.waitForURL('**/api/auth/signout?provider=certified')
  assert.equal(await third.locator('form').count(), 0, 'a page that says so')
  await shoot(third, 'signed-out')
  await third.goBack()
  await third.goBack()
  assert.equal(await third.locator('#who').count(), 0, 'the back button shows nothing')
  await page.reload()
  assert.equal(new URL(page.url()).pathname, '/api/auth/signin', 'the other tabs are signed out too')

  // Declining leads to a page with words and a way on.
  await context.clearCookies({ domain: '127.0.0.1' })
  const no = await open('/report')
  await no.getByRole('button', { name: words.go }).click()
  await no.getByRole('link', { name: 'No thanks' }).click()
  assert.equal(await no.textContent('h1'), words.declined)
  await shoot(no, 'declined')
  await no.locator('button.primary').click()
  await no.getByRole('link', { name: '林晓' }).click()
  await no.waitForURL(app + '/report')
  assert.match(await no.textContent('#who'), /^certified lin$/)

  assert.deepEqual(problems, [], 'nothing breaks the Content-Security-Policy')
  await context.close()
  console.log(`${name}: signed in, out, and in again`)
}
await browser.close()
