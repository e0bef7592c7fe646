import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

import type { Page } from 'playwright-core'

import { launch, noChromium, open } from './chromium.js'
import { Server } from './server.js'

const EXAMPLES = new URL('../../../../examples/', import.meta.url)
const hasExpress = existsSync(new URL('express/node_modules', EXAMPLES))

/** A program of the examples; its address. */
async function start(t: TestContext, program: string, env: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(program, EXAMPLES))], { env: { ...process.env, LISTEN: '127.0.0.1:0', ...env } })
  t.after(() => child.kill())
  for await (const line of createInterface(child.stdout)) {
    const [, url] = /^listening on (\S+)$/.exec(line) ?? []
    if (url) return url
  }
  throw new Error(`${program} did not start`)
}

test('the page with orders', { skip: noChromium || (hasExpress ? false : 'npm ci in examples/express') }, async (t) => {
  const server = await Server.start()
  t.after(() => server.close())
  const orders = await start(t, 'express/server.js', { ISSUER: server.url })
  const url = await start(t, 'browser/server.js', { ISSUER: server.url, ORDERS: orders })
  const browser = await launch()
  t.after(() => browser.close())
  const context = await browser.newContext({ locale: 'en-GB' })
  const faults: string[] = []
  context.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) faults.push(message.text())
  })
  const [first, second] = [await open(context, url, faults), await open(context, url, faults)]
  const says = (page: Page, text: string): Promise<void> => page.getByText(text).waitFor()
  const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click({ noWaitAfter: true })
  const fill = async (password: string): Promise<void> => {
    await first.getByLabel('E-mail address').fill('ada@example.com')
    await first.getByLabel('Password').fill(password)
  }

  await fill('short')
  await press(first, 'Make an account')
  await first.locator('input[name=password][aria-invalid=true]').waitFor()
  await fill('correct horse battery')
  await press(first, 'Make an account')
  await says(first, 'You have ordered nothing yet.')
  await says(second, 'You have ordered nothing yet.')
  await says(second, 'ada@example.com')

  await first.getByLabel('Item').fill('<b>amphora</b>')
  await first.getByLabel('Quantity').fill('2')
  await press(first, 'Order')
  await first.getByRole('cell', { name: '<b>amphora</b>' }).waitFor()

  await press(second, 'Sign out')
  await says(first, 'You are signed out.')
  assert.equal(await first.getByRole('cell').count(), 0)
  await fill('wrong')
  await press(first, 'Sign in')
  await first.locator('#notice.wrong').waitFor()
  await fill('correct horse battery')
  await press(first, 'Sign in')
  await second.getByRole('cell', { name: '<b>amphora</b>' }).waitFor()

  await first.reload()
  await first.getByRole('cell', { name: '<b>amphora</b>' }).waitFor()
  await server.command('session', 'revoke', '--user', 'ada@example.com')
  for (let isIn = true; isIn; isIn = await first.locator('#orders').isVisible()) {
    await first.getByLabel('Item').fill('salt')
    await first.getByLabel('Item').press('Enter')
    await first.locator('button:disabled').waitFor({ state: 'detached' })
  }
  for (const page of [first, second]) await says(page, 'your session was ended on another device')
  assert.deepEqual(faults, [])
})
