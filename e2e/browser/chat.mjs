// LobeChat's pages and middleware in Chromium, its variables for Go, and Go's routes:
// its own sign-in and error pages, which send absolute addresses.
import assert from 'node:assert/strict'
import { encode } from 'next-auth/jwt'
import { launch, look } from './look.mjs'

const [app, secret, code] = process.argv.slice(2)

const browser = await launch()
const context = await browser.newContext({ locale: 'zh-CN', viewport: { width: 390, height: 844 } })
const page = await context.newPage()
const signInPage = async (callbackUrl, error) => {
  await page.waitForURL(app + '/next-auth/signin?**')
  const query = new URL(page.url()).searchParams
  assert.equal(query.get('callbackUrl'), callbackUrl)
  assert.equal(query.get('error') ?? undefined, error)
}
const user = async (page, text) => {
  await page.locator('#user', { hasText: text }).waitFor()
  const id = (await page.textContent('#user')).split(' ')[0]
  if (new URL(page.url()).pathname === '/chat') assert.equal(await page.textContent('#server'), id, 'the server sees the same')
}

// A protected page leads to LobeChat's sign-in page, the provider, and back; so does
// one that Go protects.
await page.goto(app + '/go/')
await signInPage('/go/')
await page.goto(app + '/chat?session=inbox')
await signInPage(app + '/chat?session=inbox')
assert.deepEqual(await page.locator('button').allTextContents(), ['zitadel', 'github'])
await look(page, 'chat-signin', 390)
await page.getByRole('button', { name: 'github' }).click()
await page.getByRole('link', { name: 'Ada Lovelace' }).click()
await page.waitForURL(app + '/chat?session=inbox')
await user(page, /^1815 Ada Lovelace$/)
await page.reload()
await user(page, /^1815 Ada Lovelace$/)
await page.goto(app + '/go/')
assert.equal(await page.textContent('body'), '1815')
await page.goto(app + '/chat?session=inbox')
await page.getByRole('button', { name: 'Log out' }).click()
await signInPage(app + '/chat?session=inbox')
console.log('github: in and out')

// LobeChat's middleware sends the whole address; another site's leads home.
for (const [callbackUrl, there] of [[app + '/welcome?from=chat#last', app + '/welcome?from=chat#last'], ['https://evil.example/', app + '/']]) {
  await page.goto(app + '/next-auth/signin?' + new URLSearchParams({ callbackUrl, hl: 'zh-CN' }))
  await page.getByRole('button', { name: 'zitadel' }).click()
  await page.getByRole('link', { name: '林晓' }).click()
  await page.waitForURL(there)
  await page.goto(app + '/chat')
  await user(page, /^linxiao 林晓$/)
  await page.getByRole('button', { name: 'Log out' }).click()
  await signInPage(app + '/chat')
}
console.log('zitadel: absolute callbackUrl')

// With several providers LobeChat calls signIn with none.
await page.goto(app + '/welcome')
await page.getByRole('button', { name: 'Log in' }).click()
await signInPage('/welcome')

// Who declines is back on LobeChat's sign-in page, which has the way on. Who is not
// allowed sees its error page.
await page.getByRole('button', { name: 'zitadel' }).click()
await page.getByRole('link', { name: 'No thanks' }).click()
await signInPage('/welcome', 'OAuthCallbackError')
await page.getByRole('button', { name: 'zitadel' }).click()
await page.getByRole('link', { name: 'Mallory' }).click()
await page.waitForURL(app + '/next-auth/error?**')
assert.equal(await page.textContent('h1'), 'Access was denied.')
assert.equal(await page.textContent('#code'), 'AccessDenied')
console.log('declined, and not allowed')

// The access code, as a provider with credentials.
await page.goto(app + '/welcome')
await page.locator('#status', { hasText: 'unauthenticated' }).waitFor()
const byCode = async code => {
  const { ok, error, url } = await page.evaluate(code => client.signIn('access-code', { code, redirect: false }), code)
  return { ok, error, url }
}
assert.deepEqual(await byCode('wrong-wrong-wrong'), { ok: true, error: 'CredentialsSignin', url: null })
assert.deepEqual(await byCode(code), { ok: true, error: undefined, url: app + '/welcome' })
await page.locator('#status', { hasText: /^authenticated/ }).waitFor()
await page.goto(app + '/chat')
await page.getByRole('button', { name: 'Log out' }).click()
await signInPage(app + '/chat')
console.log('access code of the client: wrong, right, out')

// And at its form, which the sign-in page has no field for.
for (const [name, colorScheme, locale, options] of [
  ['phone-light', 'light', 'zh-CN', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true }],
  ['phone-dark', 'dark', 'en-GB', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true }],
  ['desktop-light', 'light', 'en-GB', { viewport: { width: 1280, height: 800 } }],
  ['desktop-dark', 'dark', 'zh-CN', { viewport: { width: 1280, height: 800 } }],
]) {
  const words = locale === 'zh-CN' ? { field: '访问密码', wrong: '访问密码不正确' } : { field: 'Access code', wrong: 'That code is not right' }
  const own = await browser.newContext({ ...options, colorScheme, locale })
  const form = await own.newPage()
  await form.goto(app + '/api/auth/signin/access-code?callbackUrl=/chat')
  await look(form, `chat-code-${name}`, options.viewport.width)
  const send = async text => {
    await form.getByLabel(words.field).fill(text)
    await Promise.all([form.waitForNavigation(), form.keyboard.press('Enter')])
  }
  if (name === 'phone-light' || name === 'desktop-dark') {
    await send('wrong-wrong-wrong')
    assert.equal(new URL(form.url()).pathname, '/api/auth/signin/access-code')
    assert.match(await form.getByRole('alert').textContent(), new RegExp(words.wrong))
    await look(form, `chat-code-${name}-wrong`, options.viewport.width)
  }
  await send(code)
  await form.waitForURL(app + '/chat')
  await user(form, /^\S+ /)
  await own.close()
  console.log(`access code of the form: ${name}`)
}

// Somebody whom LobeChat's Auth.js signed in before the change still is.
const salt = 'authjs.session-token'
const token = { name: 'Charles Babbage', email: 'charles@example.com', sub: '1791b6a4-a89c-4fd9-8a2a-3a2c6c4d1b11', userId: 'charles' }
await context.addCookies([{ name: salt, value: await encode({ token, secret, salt }), url: app, httpOnly: true, sameSite: 'Lax' }])
await page.goto(app + '/chat')
await user(page, /^charles Charles Babbage$/)
console.log('a session of Auth.js goes on')
await browser.close()
