// Every page under forced colours, light and dark: what can be pressed, filled in or followed
// has an edge or a text that stands out, and so has every drawing.
import assert from 'node:assert/strict'
import { launch } from './look.mjs'

const site = process.argv[2]
const { States } = await (await fetch(site + '/list')).json()
const browser = await launch()
const page = await browser.newPage({ viewport: { width: 360, height: 800 } })
let looked = 0
for (const state of States) {
  await page.goto(`${site}/${state}/en`)
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, forcedColors: 'active' })
    const found = await page.evaluate(() => {
      const numbers = text => text.match(/[\d.]+/g).map(Number)
      const luminance = color => numbers(color).slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0)
      const contrast = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((x, y) => y - x); return (x + .05) / (y + .05) }
      const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (numbers(c)[3] !== 0) return c } return 'rgb(255, 255, 255)' }
      const wrong = []
      const hold = (what, e, color, background, least) => contrast(color, background) >= least || wrong.push(`${what} of ${e.outerHTML.slice(0, 90)}: ${color} on ${background}`)
      const seen = selector => [...document.querySelectorAll(selector)].filter(e => e.getClientRects().length)
      for (const e of seen('button, .button, a, summary, input, .initial')) hold('text', e, getComputedStyle(e).color, behind(e), 4.5)
      for (const e of seen('button, .button, input, .initial')) {
        const { borderTopWidth, borderTopColor } = getComputedStyle(e)
        if (borderTopWidth === '0px') wrong.push(`no edge: ${e.outerHTML.slice(0, 90)}`)
        hold('edge', e, borderTopColor, behind(e.parentElement), 3)
      }
      for (const e of seen('.mark path')) hold('fill', e, getComputedStyle(e).fill, behind(e), 3)
      for (const e of seen('.sign *')) hold('line', e, getComputedStyle(e).stroke, behind(e), 3)
      return { wrong, canvas: behind(document.body), forced: matchMedia('(forced-colors: active)').matches }
    })
    assert.ok(found.forced)
    assert.equal(found.canvas, colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(0, 0, 0)', 'the colours are forced')
    assert.deepEqual(found.wrong, [], `${state} ${colorScheme}`)
    looked++
  }
}
console.log(`${looked} looks at ${States.length} pages`)
await browser.close()
