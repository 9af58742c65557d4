// Every page in every language under axe: light and dark, on a small phone and on a desk.
// Nothing on them runs, comes from elsewhere, or is wider than the screen.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { launch } from './look.mjs'

const site = process.argv[2]
const { States, Languages } = await (await fetch(site + '/list')).json()
const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
const all = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }
const seen = { type: 'rule', values: ['color-contrast', 'link-in-text-block', 'target-size'] } // what colours and widths change
const kinds = [['light', 320, all], ['dark', 320, seen], ['dark', 1280, seen], ['light', 1280, seen]]

const browser = await launch()
const todo = States.flatMap(state => Languages.map(language => `/${state}/${language}`))
let looked = 0
await Promise.all(Array.from({ length: 3 }, async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  const asked = []
  page.on('request', r => asked.push(r.url()))
  page.on('console', m => m.type() === 'error' && assert.fail(m.text()))
  for (let path; path = todo.pop();) {
    asked.length = 0
    await page.goto(site + path)
    assert.deepEqual(asked.filter(url => ![site + path, site + '/logo.svg', site + '/favicon.ico'].includes(url)), [], `${path} loads nothing else`)
    await page.evaluate(axe)
    for (const [colorScheme, width, runOnly] of kinds) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 800 })
      const found = await page.evaluate(async runOnly => ({
        violations: (await axe.run({ runOnly, resultTypes: ['violations'] })).violations.map(v => `${v.id}: ${v.nodes[0].html}`),
        wide: document.documentElement.scrollWidth,
      }), runOnly)
      assert.deepEqual(found.violations, [], `${path} ${colorScheme} ${width}`)
      assert.ok(found.wide <= width, `${path} does not scroll sideways at ${width}`)
      looked++
    }
  }
}))
console.log(`${looked} looks at ${States.length} pages in ${Languages.length} languages`)
await browser.close()
