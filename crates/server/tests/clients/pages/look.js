// Every page in Chromium: light and dark, on a phone and on a wide screen. Nothing may be wrong with it for axe, in the
// log of the browser, or with its width. Where SCREENSHOTS names a folder, pictures are left there.
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { ISSUER, step } from '../place.js';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const folder = process.env.SCREENSHOTS;
export const BASE = ISSUER.href.replace(/\/$/, '');
export const WIDTHS = [390, 1440];
export const SCHEMES = ['light', 'dark'];
if (folder) await mkdir(folder, { recursive: true });

export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});

// A browser of its own, in which nothing goes wrong unseen.
export async function fresh(options = {}) {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.scripted = options.javaScriptEnabled ?? true;
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(`${page.url()}: ${error.message}`));
  page.on('console', (message) => {
    // What a page is refused with is told in the log as well.
    const told = /Failed to load resource.*status of 4\d\d/.test(message.text());
    if (message.type() === 'error' && !told) page.faults.push(`${page.url()}: ${message.text()}`);
  });
  return page;
}

export async function signIn(page, email, password) {
  await page.goto(`${BASE}/sign-in`);
  await page.fill('#identifier', email);
  await page.fill('#password', password);
  await Promise.all([page.waitForURL('**/account*'), page.press('#password', 'Enter')]);
}

// What axe finds, in words.
export async function violations(page) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  return result.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' ')}`);
}

// Looks at the page that is shown.
export async function look(page, name) {
  // Without scripts there is nothing to ask with; the same pages are looked at with them.
  if (!page.scripted) return;
  assert.deepEqual(await violations(page), [], `${name} ${page.url()}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${name} is wider than the screen, by ${wide}`);
  assert.deepEqual(page.faults, []);
  if (folder) {
    const { width } = page.viewportSize();
    const dark = await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches);
    await page.screenshot({ path: `${folder}/${name}-${width}-${dark ? 'dark' : 'light'}.png`, fullPage: true });
  }
}

// Goes through places in every look, as somebody who is signed in or as nobody.
export async function tour(places, person) {
  for (const colorScheme of SCHEMES) {
    for (const width of WIDTHS) {
      const page = await fresh({ colorScheme, viewport: { width, height: 900 } });
      if (person) await signIn(page, person.email, person.password);
      for (const [name, path, status = 200] of places) {
        await step(`${name}, ${colorScheme}, ${width}`, async () => {
          const answer = await page.goto(BASE + path);
          assert.equal(answer.status(), status, path);
          await look(page, name);
        });
      }
      await page.context().close();
    }
  }
}
