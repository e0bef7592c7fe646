import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'

import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'

import type { Network } from './network.js'

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const DIST = new URL('../dist/', import.meta.url)
/** As strict as a page can be. */
export const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' http://127.0.0.1:*; base-uri 'none'; form-action 'none'"

/** Why tests in a browser cannot run here, if they cannot. */
export const noChromium = existsSync(CHROMIUM) ? false : 'apt-get install chromium'

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}

export function serve(network: Network, path: string, type: string, body: string | Buffer, policy = POLICY): void {
  network.pages.set(path, (_, response) => response.writeHead(200, { 'content-type': type, 'content-security-policy': policy }).end(body))
}

/** The package as it is published, below /client/. */
export async function serveClient(network: Network): Promise<void> {
  for (const file of await readdir(DIST)) {
    if (file.endsWith('.js')) serve(network, `/client/${file}`, 'text/javascript', await readFile(new URL(file, DIST)))
  }
}

/** A page with one script. */
export function servePage(network: Network, path: string, script: string): void {
  serve(network, path, 'text/html', `<!doctype html><title>A page</title><main id="main"></main><script type="module" src="${path}.js"></script>`)
  serve(network, `${path}.js`, 'text/javascript', script)
}

/** A new tab, whose faults are collected. */
export async function open(context: BrowserContext, url: string, faults: string[]): Promise<Page> {
  const page = await context.newPage()
  page.on('pageerror', (error) => faults.push(String(error)))
  await page.goto(url)
  return page
}
