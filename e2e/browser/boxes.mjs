// Where everything is on the pages that are named: a line for each element, with what it
// is and x, y, width and height in pixels. And whether the marks look as large as each other.
import assert from 'node:assert/strict'
import { useFonts } from './fonts.mjs'
import { launch } from './look.mjs'

const [site, ...states] = process.argv.slice(2)
const kinds = [
  { name: 'phone', width: 320 },
  { name: 'phone, from right to left', width: 320, dir: 'rtl' },
  { name: 'desk', width: 1280 },
  { name: 'desk, at 200 %', width: 640 },
]

const browser = await launch()
const context = await browser.newContext({ bypassCSP: true })
const page = await context.newPage()
for (const state of states) {
  for (const { name, width, dir } of kinds) {
    await page.setViewportSize({ width, height: 800 })
    await page.goto(`${site}/${state}/en`)
    await useFonts(page)
    if (dir) await page.evaluate(dir => { document.documentElement.dir = dir }, dir)
    console.log(`${state}, ${name}`)
    console.log(await page.evaluate(() => [...document.body.querySelectorAll('*:not(path, circle, bdi)')].map(e => {
      const { x, y, width, height } = e.getBoundingClientRect()
      return width && `${[e.localName, ...e.classList].join('.')} ${[x, y, width, height].map(Math.round).join(' ')}`
    }).filter(Boolean).join('\n')))
  }
}

await page.goto(`${site}/signin-every/en`)
const marks = await page.evaluate(() => [...document.querySelectorAll('svg.mark')].map(mark => {
  const box = mark.getBoundingClientRect(), drawn = mark.getBBox(), [x, y, side] = mark.getAttribute('viewBox').split(' ').map(Number), scale = box.width / side
  return {
    of: mark.nextElementSibling.textContent, longest: Math.max(drawn.width, drawn.height) * scale,
    off: Math.max(Math.abs(drawn.x + drawn.width / 2 - x - side / 2), Math.abs(drawn.y + drawn.height / 2 - y - side / 2)) * scale,
  }
}))
assert.ok(marks.length >= 7)
for (const { of, longest, off } of marks) assert.ok(longest >= 16.5 && longest <= 19.5 && off <= .5, `${of}: ${longest} pixels, ${off} from the middle`)
await browser.close()
