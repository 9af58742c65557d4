// Fonts that are the same on every machine, from the site of package looks. The policy of
// the pages allows them in a context with bypassCSP alone.
export async function useFonts(page, more = '') {
  const face = (file, weight) => `@font-face{font-family:Look;font-weight:${weight};src:url(/${file}.ttf)}`
  await page.addStyleTag({ content: face(400, 400) + face(500, 500) + face(700, '600 700') + '*{font-family:Look!important}' + more })
  await page.evaluate(() => Promise.all([400, 500, 700].map(weight => document.fonts.load(`${weight} 16px Look`))))
}
