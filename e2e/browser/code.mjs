// The way in by access code, in Chromium: a wrong code first, on a phone and on
// a desktop, in both languages, until the limiter says when to come back.
import assert from 'node:assert/strict'
import { launch, look } from './look.mjs'

const [app, code] = process.argv.slice(2)

const browser = await launch()

const kinds = [
  { name: 'phone-light-zh', client: '198.51.100.1', options: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, colorScheme: 'light', locale: 'zh-CN' }, words: { field: '访问密码', go: '登录', out: '退出登录', wrong: '访问密码不正确', limited: '尝试次数过多', wait: /请在 15 秒后重试/ } },
  { name: 'desktop-dark-en', client: '198.51.100.2', options: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark', locale: 'en-GB' }, words: { field: 'Access code', go: 'Sign in', out: 'Sign out', wrong: 'That code is not right', limited: 'Too many attempts', wait: /Try again in 15 seconds/ } },
]

for (const { name, client, options, words } of kinds) {
  const context = await browser.newContext({ ...options, extraHTTPHeaders: { 'X-Forwarded-For': client } })
  const problems = []
  const page = await context.newPage()
  page.on('console', m => { if (/Content Security Policy/.test(m.text())) problems.push(m.text()) })
  const shoot = what => look(page, `${name}-${what}`, options.viewport.width)
  const send = async text => {
    await page.getByLabel(words.field).fill(text)
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
  }

  await page.goto(app + '/report?year=2026')
  assert.equal(new URL(page.url()).pathname, '/api/auth/signin')
  await shoot('code')
  // What a password manager looks for.
  assert.deepEqual(await page.evaluate(() => [...document.forms[0].elements].filter(e => e.autocomplete).map(e => [e.type, e.autocomplete])),
    [['text', 'username'], ['password', 'current-password']])
  assert.equal(await page.evaluate(() => document.activeElement.id), 'code', 'one can type at once')

  await send('wrong-wrong-wrong')
  assert.match(await page.getByRole('alert').textContent(), new RegExp(words.wrong))
  assert.equal(await page.getByLabel(words.field).inputValue(), '', 'nothing is echoed')
  await page.reload()
  assert.match(await page.getByRole('alert').textContent(), new RegExp(words.wrong), 'a reload sends nothing again')
  await shoot('code-wrong')

  await send(code)
  await page.waitForURL(app + '/report?year=2026')
  assert.match(await page.textContent('#who'), /^access-code code_/)
  await page.reload()
  assert.equal(await page.locator('#who').count(), 1)
  await page.getByRole('link', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: words.out }).click()
  await page.goto(app + '/report')
  assert.equal(new URL(page.url()).pathname, '/api/auth/signin')

  await context.clearCookies() // a browser that knew a code passes by its device cookie
  await page.goto(app + '/report')
  for (let i = 0; i < 4; i++) await send(`wrong-wrong-${i}`)
  await send(code)
  assert.equal(await page.textContent('h1'), words.limited)
  assert.match(await page.getByRole('alert').textContent(), words.wait)
  await shoot('code-limited')
  await page.locator('a.button').click()
  assert.equal(new URL(page.url()).searchParams.get('callbackUrl'), '/report', 'the way on leads back to the page')

  assert.deepEqual(problems, [], 'nothing breaks the Content-Security-Policy')
  await context.close()
  console.log(`${name}: wrong, right, out, limited`)
}
await browser.close()
