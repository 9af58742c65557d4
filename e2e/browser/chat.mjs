// A set-up as LobeChat's in Chromium: its own sign-in and error pages, which send
// absolute addresses, and its variables for Go, with no Auth.js on the server.
import assert from 'node:assert/strict'
import { encode } from 'next-auth/jwt'
import { launch, look } from './look.mjs'

const [app, secret, code] = process.argv.slice(2)

const browser = await launch()
const context = await browser.newContext({ locale: 'zh-CN', viewport: { width: 390, height: 844 } })
const page = await context.newPage()
const signInPage = async callbackUrl => {
  await page.waitForURL(app + '/next-auth/signin?**')
  assert.equal(new URL(page.url()).searchParams.get('callbackUrl'), callbackUrl)
}
const user = async text => {
  await page.locator('#user', { hasText: text }).waitFor()
  assert.match(await page.textContent('#user'), text)
}

// A protected page leads to LobeChat's sign-in page, the provider, and back.
await page.goto(app + '/chat?session=inbox')
await signInPage('/chat?session=inbox')
assert.deepEqual(await page.locator('button').allTextContents(), ['zitadel', 'github'])
await look(page, 'chat-signin', 390)
await page.getByRole('button', { name: 'github' }).click()
await page.getByRole('link', { name: 'Ada Lovelace' }).click()
await page.waitForURL(app + '/chat?session=inbox')
await user(/^1815 Ada Lovelace$/)
await page.reload()
await user(/^1815 Ada Lovelace$/)
await page.getByRole('button', { name: 'Log out' }).click()
await signInPage('/chat?session=inbox')
console.log('github: in and out')

// LobeChat's middleware sends the whole address; another site's leads home.
for (const [callbackUrl, there] of [[app + '/chat?session=inbox#last', app + '/chat?session=inbox#last'], ['https://evil.example/', app + '/']]) {
  await page.goto(app + '/next-auth/signin?' + new URLSearchParams({ callbackUrl, hl: 'zh-CN' }))
  await page.getByRole('button', { name: 'zitadel' }).click()
  await page.getByRole('link', { name: '林晓' }).click()
  await page.waitForURL(there)
  await page.goto(app + '/chat')
  await user(/^linxiao 林晓$/)
  await page.getByRole('button', { name: 'Log out' }).click()
  await signInPage('/chat')
}
console.log('zitadel: absolute callbackUrl')

// With several providers LobeChat calls signIn with none.
await page.goto(app + '/v5')
await page.locator('#status', { hasText: 'unauthenticated' }).waitFor()
await page.evaluate(() => { client.signIn() })
await signInPage('/v5')

// Who declines sees LobeChat's error page.
await page.getByRole('button', { name: 'zitadel' }).click()
await page.getByRole('link', { name: 'No thanks' }).click()
await page.waitForURL(app + '/next-auth/error?**')
assert.equal(await page.textContent('#code'), 'OAuthCallbackError')

// The access code, as a provider with credentials.
await page.goto(app + '/v5')
await page.locator('#status', { hasText: 'unauthenticated' }).waitFor()
const byCode = async code => {
  const { ok, error, url } = await page.evaluate(code => client.signIn('access-code', { code, redirect: false }), code)
  return { ok, error, url }
}
assert.deepEqual(await byCode('wrong-wrong-wrong'), { ok: true, error: 'CredentialsSignin', url: null })
assert.deepEqual(await byCode(code), { ok: true, error: undefined, url: app + '/v5' })
await page.locator('#status', { hasText: /^authenticated/ }).waitFor()
await page.goto(app + '/chat')
await page.getByRole('button', { name: 'Log out' }).click()
await signInPage('/chat')
console.log('access code: wrong, right, out')

// Somebody whom LobeChat's Auth.js signed in before the change still is.
const salt = 'authjs.session-token'
const token = { name: 'Charles Babbage', email: 'charles@example.com', sub: '1791b6a4-a89c-4fd9-8a2a-3a2c6c4d1b11', userId: 'charles' }
await context.addCookies([{ name: salt, value: await encode({ token, secret, salt }), url: app, httpOnly: true, sameSite: 'Lax' }])
await page.goto(app + '/chat')
await user(/ Charles Babbage$/)
console.log('a session of Auth.js goes on')
await browser.close()
