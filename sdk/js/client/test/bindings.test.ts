import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { createClient } from '@symbolon/client'
import { SymbolonProvider, useSession } from '@symbolon/client/react'
import { build } from 'esbuild'
import type { Browser } from 'playwright-core'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'

import { launch, noChromium, open, servePage } from './chromium.js'
import { Network } from './network.js'
import { Server } from './server.js'

const skip = noChromium
let network: Network
let server: Server
let browser: Browser
before(async () => {
  if (skip) return
  network = await Network.start()
  server = await Server.start({ 'server.issuer': network.url })
  network.upstream = server.url
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await server?.close()
  network?.close()
})

const COMMON = `
  import { createClient } from '@symbolon/client'
  globalThis.symbolon = createClient({ issuer: location.origin })
  const text = (session) => session.status + ' ' + (session.user?.username ?? session.reason ?? '')
`
const FRAMEWORKS = {
  react: `${COMMON}
    import { createElement, StrictMode } from 'react'
    import { createRoot } from 'react-dom/client'
    import { SymbolonProvider, useSession } from '@symbolon/client/react'
    const Who = () => createElement('p', null, text(useSession()))
    const root = createRoot(document.getElementById('main'))
    root.render(createElement(StrictMode, null, createElement(SymbolonProvider, { client: symbolon }, createElement(Who))))
    globalThis.leave = () => root.unmount()`,
  vue: `${COMMON}
    import { createApp, h } from 'vue'
    import { symbolonPlugin, useSession } from '@symbolon/client/vue'
    const app = createApp({ setup() { const session = useSession(); return () => h('p', text(session.value)) } })
    app.use(symbolonPlugin(symbolon)).mount('#main')
    globalThis.leave = () => app.unmount()`,
}

for (const [framework, contents] of Object.entries(FRAMEWORKS)) {
  test(`${framework}: a component shows who is signed in, and hears no more when it is gone`, { skip }, async (t) => {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: fileURLToPath(new URL('..', import.meta.url)) },
      bundle: true,
      write: false,
      format: 'esm',
      define: { 'process.env.NODE_ENV': '"production"', __VUE_OPTIONS_API__: 'true', __VUE_PROD_DEVTOOLS__: 'false', __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false' },
    })
    servePage(network, `/${framework}`, outputFiles[0]!.text)
    const credentials = await server.person(framework)
    const context = await browser.newContext()
    t.after(() => context.close())
    const faults: string[] = []
    const page = await open(context, `${network.url}/${framework}`, faults)
    const shows = (text: string): Promise<void> => page.getByText(text, { exact: true }).waitFor()

    await shows('unknown')
    await page.evaluate(() => symbolon.restore())
    await shows('signedOut no_refresh_token')
    await page.evaluate((who) => symbolon.login(who), credentials)
    await shows(`signedIn ${framework}`)
    await page.evaluate(() => symbolon.logout())
    await shows('signedOut signed_out')
    const left = await page.evaluate(async (who) => {
      ;(globalThis as unknown as { leave: () => void }).leave()
      await symbolon.login(who)
      return document.getElementById('main')!.textContent
    }, credentials)
    assert.equal(left, '')
    assert.deepEqual(faults, [])
  })
}

test('react on a server renders what is known, and a forgotten provider is told', () => {
  const client = createClient({ issuer: 'http://127.0.0.1:1' })
  const Who = () => createElement('p', null, useSession().status)
  assert.equal(renderToString(createElement(SymbolonProvider, { client }, createElement(Who))), '<p>unknown</p>')
  assert.throws(() => renderToString(createElement(Who)), /SymbolonProvider/)
})
