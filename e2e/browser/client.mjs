// next-auth/react in Chromium, unchanged, against whoever answers /api/auth. page
// is /v5 or /v4, the client's version; side is who signs in, go or nextjs.
import assert from 'node:assert/strict'
import { age, launch, look } from './look.mjs'

const [app, path, side, secret] = process.argv.slice(2)
const go = side === 'go'

const browser = await launch()
const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 } })
const problems = []

const open = async where => {
  const page = await context.newPage()
  page.on('console', m => {
    // The browser itself reports what is refused here, and asks for an icon.
    if (m.type() === 'error' && !/\/(api\/go\/hello|api\/auth\/callback\/demo\?error=.*|favicon\.ico)$/.test(m.location().url)) problems.push(m.text())
  })
  page.on('pageerror', e => problems.push(e.message))
  await page.goto(app + where)
  return page
}
const is = async (page, status, answer) => {
  await page.locator('#status', { hasText: new RegExp(`^${status}$`) }).waitFor()
  await page.locator('#go', { hasText: answer }).waitFor()
}
const nobody = page => is(page, 'unauthenticated', '401')
const signedIn = async (page, user, name) => {
  await is(page, 'authenticated', `200 Hello, ${name}`)
  assert.equal(await page.textContent('#user'), `${user} ${name} ${user}@example.com`)
}
const ada = page => signedIn(page, 'ada', 'Ada Lovelace')
// call runs one of the client's functions that stays on the page, leave one that goes.
const call = (page, name, ...args) => page.evaluate(([name, args]) => client[name](...args), [name, args])
const leave = (page, name, ...args) => page.evaluate(([name, args]) => { client[name](...args) }, [name, args])
const step = async (name, run) => {
  await run()
  console.log(`${path} ${side}: ${name}`)
}

const page = await open(path)

await step('nobody, providers, CSRF token', async () => {
  await nobody(page)
  assert.deepEqual(await call(page, 'getProviders'), { demo: {
    id: 'demo', name: 'Demo', type: go ? 'oidc' : 'oauth', signinUrl: app + '/api/auth/signin/demo', callbackUrl: app + '/api/auth/callback/demo' } })
  const token = await call(page, 'getCsrfToken')
  assert.match(token, /^[0-9a-f]{64}$/)
  assert.equal(await call(page, 'getCsrfToken'), token)
  assert.equal(await call(page, 'getSession'), null)
})

await step('signIn with an absolute callbackUrl and login_hint', async () => {
  const asked = page.waitForRequest('**/authorize?**')
  await leave(page, 'signIn', 'demo', { callbackUrl: `${app}${path}?tab=a%20b` }, { login_hint: 'ada', ...go && { scope: 'admin', redirect_uri: 'https://evil.example/' } })
  const query = new URL((await asked).url()).searchParams
  assert.deepEqual(query.get('scope').split(' ').sort(), ['email', 'openid', 'profile'], 'no parameter of the protocol comes from the client')
  assert.equal(query.get('redirect_uri'), app + '/api/auth/callback/demo')
  await page.waitForURL(`${app}${path}?tab=a%20b`)
  await ada(page)
  await look(page, `client${path.replace('/', '-')}-${side}`, 1280)
})

await step('reload, a second tab', async () => {
  await page.reload()
  await ada(page)
  await ada(await open(path))
})

await step('update, which other tabs notice', async () => {
  const second = context.pages()[1]
  // Auth.js seals the session anew for every reader: the other tab's answer must
  // not overtake the next update. And v4's tabs tell each other only once a second,
  // because that is what the message differs by.
  const update = async (...data) => {
    await page.evaluate(() => localStorage.removeItem('nextauth.message'))
    const heard = second.waitForResponse(app + '/api/auth/session')
    const session = await call(page, 'update', ...data)
    await heard
    await is(page, 'authenticated', '200')
    return session.user.name
  }
  assert.equal(await update(), 'Ada Lovelace')
  assert.equal(await update({ name: 'Ada, Countess' }), 'Ada, Countess')
  await signedIn(page, 'ada', 'Ada, Countess')
  await signedIn(second, 'ada', 'Ada, Countess')
  await page.reload()
  await signedIn(page, 'ada', 'Ada, Countess')
})

await step('a second tab notices a sign-out', async () => {
  const second = context.pages()[1]
  await leave(second, 'signOut', { callbackUrl: `${app}${path}?bye=1` })
  await second.waitForURL(`${app}${path}?bye=1`)
  await nobody(second)
  await nobody(page)
  await second.close()
})

await step('signIn without a provider, and with one that does not exist, shows the sign-in page', async () => {
  for (const args of [[], ['nothing']]) {
    await leave(page, 'signIn', ...args)
    await page.waitForURL(app + '/api/auth/signin?callbackUrl=**')
    await page.goBack()
    await nobody(page)
  }
})

await step('useSession({required: true}) leads to the sign-in page and back', async () => {
  await page.goto(`${app}${path}?required=1`)
  await page.waitForURL(app + '/api/auth/signin?**')
  assert.equal(new URL(page.url()).searchParams.get('error'), 'SessionRequired')
  await page.getByRole('button', { name: /Demo/ }).click()
  await page.getByRole('link', { name: '林晓' }).click()
  await page.waitForURL(`${app}${path}?required=1`)
  await is(page, 'authenticated', '200 Hello, 林晓')
  await page.goto(app + path)
  await is(page, 'authenticated', '200 Hello, 林晓')
})

await step('signOut({redirect: false}) stays and notices', async () => {
  const answer = await call(page, 'signOut', { redirect: false, callbackUrl: app + path })
  assert.deepEqual(answer, { url: app + path })
  await nobody(page)
})

await step('declined at the provider', async () => {
  await leave(page, 'signIn', 'demo')
  await page.getByRole('link', { name: 'No thanks' }).click()
  await page.waitForURL(app + '/api/auth/**')
  assert.match(await page.textContent('body'), go ? /You did not sign in/ : /Sign in|Try signing in/)
})

await step('a session that is over', async () => {
  await page.goto(app + path)
  await nobody(page)
  await leave(page, 'signIn', 'demo', undefined, { login_hint: 'ada' })
  await page.waitForURL(app + path)
  await ada(page)
  await age(context, app, secret)
  assert.equal(await call(page, 'getSession'), null)
  await page.reload()
  await nobody(page)
  assert.deepEqual((await context.cookies(app)).filter(c => c.name.includes('session-token')), [], 'the cookie is gone')
})

assert.deepEqual(problems, [], 'nothing is wrong in the console')
await browser.close()
