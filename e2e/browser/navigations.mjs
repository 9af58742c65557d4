// Who is asked to sign in, and how, with what Chromium, htmx, Turbo and Unpoly really
// send: the rows of internal/web's table.
import assert from 'node:assert/strict'
import { launch, look } from './look.mjs'

const [rules, code] = process.argv.slice(2)
const app = 'https://app.example'
const browser = await launch(`--host-resolver-rules=${rules}`, '--ignore-certificate-errors')

// person is a browser of its own; signIn fills in the form that page is at.
const person = async (options = {}) => {
  const context = await browser.newContext({ locale: 'en-GB', ignoreHTTPSErrors: true, ...options })
  const page = await context.newPage()
  return { context, page }
}
const signIn = async page => {
  await page.locator('input[name=code]').fill(code)
  await page.locator('form:has(input[name=code]) button').click()
}
const signedIn = async (path, options) => {
  const p = await person(options)
  await p.page.goto(app + path)
  await signIn(p.page)
  await p.page.waitForURL(app + path)
  return p
}
const notSent = 'What you sent has not arrived'
const signInPage = async (page, callbackUrl) => {
  await page.waitForURL(url => url.pathname === '/api/auth/signin')
  assert.equal(new URL(page.url()).searchParams.get('callbackUrl'), callbackUrl)
}
const step = name => console.log(name)

{ // A service worker that passes requests on: navigations stay navigations.
  const { context, page } = await signedIn('/page')
  await page.evaluate(async () => {
    await navigator.serviceWorker.register('/open/sw.js', { scope: '/' })
    await navigator.serviceWorker.ready
  })
  await page.reload()
  assert.ok(await page.evaluate(() => navigator.serviceWorker.controller !== null))
  await context.clearCookies()
  await page.goto(app + '/deep?x=1')
  await signInPage(page, '/deep?x=1')
  await signIn(page)
  await page.waitForURL(app + '/deep?x=1')
  assert.equal(await page.evaluate(() => fetch('/data', { headers: { accept: '*/*' } }).then(r => r.status)), 200)
  await context.clearCookies()
  assert.deepEqual(await page.evaluate(() => fetch('/data').then(async r => [r.status, (await r.json()).error])), [401, 'unauthorized'])
  await context.close()
  step('service worker')
}

{ // An Android WebView names its application in each request.
  const { context, page } = await person({ extraHTTPHeaders: { 'X-Requested-With': 'com.example.app' } })
  await page.goto(app + '/page')
  await signInPage(page, '/page')
  await context.close()
  step('WebView')
}

{ // A prefetch begins nothing, and the click after it does.
  const { context, page } = await signedIn('/page')
  await context.clearCookies()
  const prefetched = page.waitForResponse(r => new URL(r.url()).pathname === '/next')
  await page.evaluate(() => {
    const link = document.createElement('link')
    Object.assign(link, { rel: 'prefetch', href: '/next' })
    document.head.append(link)
  })
  assert.equal((await prefetched).status(), 401)
  await page.click('#link')
  await signInPage(page, '/next')
  await context.close()
  step('prefetch')
}

{ // A form after the session ended, and the way on: a tab beside it, back, send again.
  for (const [name, options] of [['phone-dark-zh', { viewport: { width: 390, height: 844 }, isMobile: true, colorScheme: 'dark', locale: 'zh-CN' }], ['desktop-light-en', { viewport: { width: 1280, height: 800 } }]]) {
    const { context, page } = await signedIn('/page', options)
    await context.clearCookies()
    await page.fill('[name=text]', 'three chairs')
    await page.click('button:text-is("Order")')
    await page.locator('a[target=_blank]').waitFor()
    if (!options.locale) assert.equal(await page.textContent('h1'), notSent)
    assert.equal(new URL(page.url()).pathname, '/orders')
    await look(page, `${name}-form-not-sent`, options.viewport.width)
    const [tab] = await Promise.all([context.waitForEvent('page'), page.click('a[target=_blank]')])
    await signInPage(tab, '/page')
    await signIn(tab)
    await tab.waitForURL(app + '/page')
    await page.goBack()
    assert.equal(await page.inputValue('[name=text]'), 'three chairs')
    await page.click('button:text-is("Order")')
    await page.getByText('Order taken').waitFor()
    await context.close()
  }
  step('form, two tabs')
}

{ // Pages of other sites and siblings act in nobody's name; one of ours does.
  const { context, page } = await signedIn('/page')
  for (const [from, want] of [['https://evil.example', 'other'], ['https://evil.app.example', 'refused'], ['https://www.app.example', 'taken']]) {
    await page.goto(from + '/')
    await page.setContent(`<form method=post action=${app}/orders><button>Go</button></form>`)
    await page.click('button')
    await page.waitForURL(app + '/orders')
    // SameSite=Lax keeps the cookie of a sign-in two minutes ago out of another site's form.
    assert.equal(await page.textContent('h1'), { other: notSent, refused: 'This came from another site', taken: 'Order taken' }[want], from)
    if (want === 'refused') await look(page, 'desktop-another-site', 1280)
    const answer = async () => {
      await page.goto(from + '/')
      return page.evaluate(app => fetch(app + '/api/auth/session', { credentials: 'include', headers: { 'Content-Type': 'application/json' } }).then(r => r.json(), () => 'refused'), app)
    }
    const session = await answer()
    if (want === 'taken') assert.ok(session.user, from)
    else assert.equal(session, 'refused', from)
  }
  await context.close()
  step('other origins')
}

{ // Inside a frame: of a sibling one sentence and a tab, after which the frame works.
  const { context, page } = await person()
  const framed = async (around, inside, path) => {
    await page.goto(around + '/')
    await page.setContent(`<iframe src="${inside}${path}" width=600 height=600></iframe>`)
    return page.frameLocator('iframe')
  }
  for (const around of ['https://evil.app.example', 'https://portal.example']) {
    const frame = await framed(around, app, '/page')
    await frame.getByText('You are not signed in').waitFor()
    const [tab] = await Promise.all([context.waitForEvent('page'), frame.locator('a[target=_blank]').click()])
    await signInPage(tab, '/page')
    await signIn(tab)
    await tab.waitForURL(app + '/page')
    const again = await framed(around, app, '/page')
    // SameSite=Lax: the same site's frame has the cookie, another site's has not.
    if (around === 'https://portal.example') await again.getByText('You are not signed in').waitFor()
    else await again.getByRole('heading', { name: '/page' }).waitFor()
    await context.clearCookies()
    await tab.close()
  }

  // With SameSiteNone and FrameAncestors people sign in inside the frame.
  const frame = await framed('https://portal.example', 'https://framed.example', '/page')
  await frame.locator('input[name=code]').fill(code)
  await frame.locator('form:has(input[name=code]) button').click()
  await frame.getByRole('heading', { name: '/page' }).waitFor()
  await frame.locator('button:text-is("Order")').click()
  await frame.getByText('Order taken').waitFor()
  const there = await context.cookies('https://framed.example')
  assert.ok(there.length >= 2 && there.every(c => c.sameSite === 'None' && c.secure && c.partitionKey), JSON.stringify(there))
  await page.goto('https://framed.example/page')
  await signInPage(page, '/page') // in a tab it is another session
  const other = await framed('https://evil.example', 'https://framed.example', '/page')
  await page.waitForTimeout(500)
  assert.equal(await other.locator('input').count(), 0, 'nobody else frames the page')
  await context.close()
  step('frames')
}

for (const path of ['/htmx', '/htmx-2']) { // htmx goes where HX-Redirect says, also with a form.
  for (const click of ['button:text-is("Order")', '#link']) {
    const { context, page } = await signedIn(path)
    await page.waitForFunction(() => window.htmx)
    await context.clearCookies()
    await page.click(click)
    await signInPage(page, path)
    await signIn(page)
    await page.waitForURL(app + path)
    await context.close()
  }
  step(path.slice(1))
}

{ // Turbo shows the page in answer to a form, and loads links and frames anew.
  const turbo = async () => {
    const p = await signedIn('/turbo')
    await p.page.waitForFunction(() => window.Turbo)
    await p.context.clearCookies()
    return p
  }
  for (const [click, check] of [
    ['button:text-is("Order")', async page => {
      await page.getByRole('heading', { name: notSent }).waitFor()
      await page.locator('a[target=_blank]').waitFor()
    }],
    ['#plain', page => signInPage(page, '/next')],
    ['#inframe', page => signInPage(page, '/next')],
    ['#framedform button', async page => {
      await page.getByRole('heading', { name: notSent }).waitFor()
      await page.locator('a[target=_blank]').waitFor()
    }],
  ]) {
    const { context, page } = await turbo()
    await page.click(click)
    await check(page)
    await context.close()
  }
  step('Turbo')
}

{ // Unpoly shows the page.
  for (const [click, heading] of [['#up button', notSent], ['#plain', 'Please sign in']]) {
    const { context, page } = await signedIn('/unpoly')
    await page.waitForFunction(() => window.up && up.framework.booted !== false)
    await context.clearCookies()
    await page.click(click)
    await page.getByRole('heading', { name: heading }).waitFor()
    await page.locator('a[target=_blank]').waitFor()
    await context.close()
  }
  step('Unpoly')
}
await browser.close()
