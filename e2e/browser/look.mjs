// What every way through the pages needs: Chromium, and a look at a page.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'

export const out = new URL('../out/', import.meta.url).pathname
mkdirSync(out, { recursive: true })
const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')

export const launch = (...more) => chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync', ...more],
})

// look keeps a screenshot, and holds the page to WCAG 2.2 AA and to the device's width.
export async function look(page, name, width) {
  await page.screenshot({ path: `${out}${name}.png`, fullPage: true })
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }))
  assert.deepEqual(violations.map(v => `${v.id}: ${v.nodes[0].html}`), [], `${name} is accessible`)
  assert.ok(await page.evaluate(width => document.documentElement.scrollWidth <= width, width), `${name} does not scroll sideways`)
}

// age puts the session's own claims back into its cookie, as a token that ended a
// minute ago.
export async function age(context, app, secret) {
  const cookie = (await context.cookies(app)).find(c => c.name.endsWith('.session-token'))
  const v5 = cookie.name.includes('authjs.')
  const { decode, encode } = await import(v5 ? 'next-auth/jwt' : 'next-auth-v4/jwt')
  const seal = { secret, ...v5 && { salt: cookie.name } }
  const { iat, exp, jti, ...token } = await decode({ ...seal, token: cookie.value })
  await context.addCookies([{ ...cookie, value: await encode({ ...seal, token, maxAge: -60 }) }])
}
