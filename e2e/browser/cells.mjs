// How bright the pages that are named are, by squares of 20 pixels: a character for each, from
// 0 for black to o for white. The pictures themselves are in e2e/out.
import { useFonts } from './fonts.mjs'
import { launch, out } from './look.mjs'

const [site, ...states] = process.argv.slice(2)
const browser = await launch()
const context = await browser.newContext({ bypassCSP: true })
const page = await context.newPage(), desk = await context.newPage()

const cells = png => desk.evaluate(async png => {
  const side = 20, picture = await createImageBitmap(await (await fetch('data:image/png;base64,' + png)).blob())
  const { width, height } = picture, rows = Math.ceil(height / side), columns = Math.ceil(width / side)
  const paper = new OffscreenCanvas(width, height).getContext('2d')
  paper.drawImage(picture, 0, 0)
  const { data } = paper.getImageData(0, 0, width, height)
  return Array.from({ length: rows }, (_, y) => Array.from({ length: columns }, (_, x) => {
    let sum = 0, n = 0
    for (let j = y * side; j < Math.min(height, (y + 1) * side); j++) {
      for (let i = x * side; i < Math.min(width, (x + 1) * side); i++, n++) for (let c = 0; c < 3; c++) sum += data[4 * (j * width + i) + c] / 3
    }
    return String.fromCharCode(48 + Math.floor(sum / n / 4))
  }).join('')).join('\n')
}, png.toString('base64'))

for (const state of states) {
  await page.goto(`${site}/${state}/en`)
  await useFonts(page, 'body{align-content:start!important}')
  for (const width of [360, 1280]) {
    for (const colorScheme of ['light', 'dark']) {
      await page.setViewportSize({ width, height: 1200 })
      await page.emulateMedia({ colorScheme })
      console.log(`${state}, ${width} ${colorScheme}`)
      console.log(await cells(await page.screenshot({ clip: await page.locator('main').boundingBox(), path: `${out}${state}-${width}-${colorScheme}.png` })))
    }
  }
}
await browser.close()
