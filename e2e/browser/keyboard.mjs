// The sign-in page and the code's form by the keyboard alone.
import assert from 'node:assert/strict'
import { launch } from './look.mjs'

const site = process.argv[2]
const browser = await launch()
const context = await browser.newContext()
const page = await context.newPage()
const at = () => page.evaluate(() => {
  const e = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(e)
  return [e.localName, (e.id || e.textContent).trim(), outlineStyle === 'solid' && parseInt(outlineWidth) >= 2].join('|')
})
const press = key => page.keyboard.press(key)
const sent = () => page.textContent('body')

await page.goto(site + '/signin-three/en')
for (const want of ['button|Continue with Google|true', /^button\|Continue with GitHub.*\|true$/, 'button|Continue with Microsoft|true', 'summary|Use an access code|true', 'a|Terms|true', 'a|Privacy|true', 'a|Help|true']) {
  await press('Tab')
  assert.match(await at(), want instanceof RegExp ? want : new RegExp(`^${want.replaceAll('|', '\\|')}$`))
}
for (let i = 0; i < 3; i++) await press('Shift+Tab')
await press('Enter')
await press('Tab')
assert.equal(await at(), 'input|code|true')
await page.keyboard.type('correct horse')
await press('Enter')
await page.waitForURL('**/signin/access-code')
assert.equal(await sent(), 'access-code correct horse')

await page.goto(site + '/signin-three/en')
await press('Tab')
await press('Tab')
await press('Enter')
await page.waitForURL('**/signin/p1')

await page.goto(site + '/code/en')
assert.equal(await at(), 'input|code|true', 'there is nothing else to do')
await page.keyboard.type('battery')
await press('Tab')
assert.equal(await at(), 'button|Sign in|true')
await press('Enter')
await page.waitForURL('**/signin/access-code')
assert.equal(await sent(), 'access-code battery')
await browser.close()
