// The pictures of the documentation: the sign-in page, light and dark, and that of
// examples/branded, which is at the address after the site's.
import { writeFile } from 'node:fs/promises'
import { launch } from './look.mjs'
import { useFonts } from './fonts.mjs'

const [site, branded, to] = process.argv.slice(2)
const browser = await launch()

async function shoot(address, viewport, colorScheme, font) {
  const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true })
  const page = await context.newPage()
  await page.goto(address)
  if (font) await useFonts(page)
  const picture = await page.screenshot()
  await context.close()
  return picture
}

// On a page of its own: two beside each other.
const half = { width: 496, height: 520 }
const pair = await Promise.all(['light', 'dark'].map(mode => shoot(`${site}/signin-three/en`, half, mode, true)))
const page = await browser.newPage({ viewport: { width: 2 * half.width, height: half.height } })
await page.setContent(`<body style="margin:0;display:flex">${pair.map(p => `<img src="data:image/png;base64,${p.toString('base64')}">`).join('')}`)
await page.screenshot({ path: `${to}/sign-in.png` })

const path = `${branded}/api/auth/signin?callbackUrl=/shelf`
await writeFile(`${to}/branded.png`, await shoot(path, { width: 992, height: 520 }, 'light', false))
await browser.close()
