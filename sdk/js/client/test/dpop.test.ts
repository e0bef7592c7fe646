import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'

import { SymbolonError } from '@symbolon/client'
import { createDpopClient, memoryStore, type DpopClient, type DpopStore } from '@symbolon/client/dpop'
import type { Browser, BrowserContext, Page } from 'playwright-core'

import { launch, noChromium, open, serveClient, servePage } from './chromium.js'
import { MovedClock, Network, seeded } from './network.js'
import { Server } from './server.js'

const HOUR_MS = 3_600_000
const skip = noChromium

declare global {
  /** In the page. */
  var bound: DpopClient
}

let network: Network
let server: Server
let browser: Browser
let context: BrowserContext
let faults: string[]
let person: { email: string; password: string }
before(async () => {
  if (skip) return
  network = await Network.start()
  server = await Server.start({ 'server.issuer': network.url, 'oauth.dpop_nonce': true })
  network.upstream = server.url
  browser = await launch()
  person = await server.person()
  const resource = ['--resource', 'https://orders.example']
  const grants = ['authorization_code', 'refresh_token'].flatMap((grant) => ['--grant', grant])
  const scopes = ['openid', 'profile', 'email', 'offline_access'].flatMap((scope) => ['--scope', scope])
  await server.command('client', 'add', 'shop', '--type', 'public', '--name', 'The shop', '--dpop-bound', '--redirect-uri', `${network.url}/shop`, ...grants, ...scopes, ...resource)
})
after(async () => {
  await browser?.close()
  await server?.close()
  network?.close()
})
beforeEach(async () => {
  if (skip) return
  network.pages.clear()
  network.seen.length = 0
  network.loses = () => false
  await serveClient(network)
  servePage(
    network,
    '/shop',
    `import { createDpopClient } from '/client/dpop.js'
     let ahead = 0
     const clock = { now: () => performance.now() + ahead, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) }
     globalThis.advance = () => { ahead += 3_600_000 }
     globalThis.bound = createDpopClient({ issuer: location.origin, clientId: 'shop', redirectUri: location.origin + '/shop', clock })`,
  )
  context = await browser.newContext({ locale: 'en-GB' })
  faults = []
})
afterEach(async () => {
  if (skip) return
  await context.close()
  assert.deepEqual(faults, [])
})

/** What a person does at the server's pages; the address that the browser comes back to. */
async function pass(page: Page, url: string): Promise<string> {
  await page.goto(url)
  await page.getByLabel('E-mail address or username').fill(person.email)
  await page.getByLabel('Password').fill(person.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Allow', exact: true }).click()
  await page.waitForURL((at) => at.pathname === '/shop')
  return page.url()
}

async function signedIn(store: DpopStore, clock: MovedClock): Promise<DpopClient> {
  const client = createDpopClient({ issuer: network.url, clientId: 'shop', redirectUri: `${network.url}/shop`, store, clock, resources: ['https://orders.example'] })
  const user = await client.finishSignIn(await pass(await context.newPage(), await client.beginSignIn({ login_hint: 'ada' })))
  assert.equal(user.email, person.email)
  return client
}

test('in a browser: sign in, call, refresh, open again, sign out', { skip }, async () => {
  const page = await open(context, `${network.url}/shop`, faults)
  await pass(page, await page.evaluate(() => bound.beginSignIn()))
  const user = await page.evaluate(() => bound.finishSignIn())
  assert.equal(user.email, person.email)
  const answer = await page.evaluate(async () => {
    advance()
    return (await bound.fetch('/oauth/userinfo')).status
  })
  assert.equal(answer, 200)
  assert.match(network.seen.findLast(({ path }) => path === '/oauth/userinfo')!.authorization!, /^DPoP /)

  // The key is in the database, and no script can read it.
  const second = await open(context, `${network.url}/shop`, faults)
  assert.equal((await second.evaluate(() => bound.restore())).status, 'signedIn')
  const read = await second.evaluate(async () => {
    const [database] = await indexedDB.databases()
    const opened = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open(database!.name!)
      request.onsuccess = () => resolve(request.result)
    })
    const key = await new Promise<CryptoKeyPair>((resolve) => {
      const request = opened.transaction('symbolon').objectStore('symbolon').get('key')
      request.onsuccess = () => resolve(request.result)
    })
    return crypto.subtle.exportKey('jwk', key.privateKey).catch((error: Error) => error.name)
  })
  assert.equal(read, 'InvalidAccessError')

  await second.evaluate(() => bound.logout())
  await page.waitForFunction(() => bound.state.status === 'signedOut')
  const third = await open(context, `${network.url}/shop`, faults)
  assert.deepEqual(await third.evaluate(() => bound.restore()), { status: 'signedOut', reason: 'no_refresh_token' })
})

test('in Node, one answer in five lost: the session goes on', { skip }, async () => {
  const clock = new MovedClock()
  const client = await signedIn(memoryStore(), clock)
  const chance = seeded(13)
  network.loses = (path) => path === '/oauth/token' && chance() < 0.2
  for (let rounds = 0; rounds < 20; rounds += 1) {
    clock.advance(HOUR_MS)
    const answers = await Promise.all([1, 2, 3].map(() => client.fetch('/oauth/userinfo')))
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200])
  }
  assert.ok(network.lost > 3)
  assert.equal(client.state.status, 'signedIn')
})

test('stolen tokens are of no use', { skip }, async () => {
  const [store, clock] = [memoryStore(), new MovedClock()]
  const client = await signedIn(store, clock)
  assert.equal((await client.fetch('/oauth/userinfo')).status, 200)
  const { authorization } = network.seen.findLast(({ path }) => path === '/oauth/userinfo')!
  const token = authorization!.split(' ')[1]!
  const { aud } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { aud: string[] }
  assert.ok(aud.includes('https://orders.example'))
  for (const scheme of ['Bearer', 'DPoP']) {
    const { status } = await fetch(`${network.url}/oauth/userinfo`, { headers: { authorization: `${scheme} ${token}` } })
    assert.equal(status, 401)
  }
  const thief = memoryStore()
  await thief.set('refreshToken', await store.get('refreshToken'))
  const stolen = createDpopClient({ issuer: network.url, clientId: 'shop', redirectUri: `${network.url}/shop`, store: thief })
  const state = await stolen.restore()
  assert.equal(state.status, 'signedOut')
  clock.advance(HOUR_MS)
  assert.equal((await client.fetch('/oauth/userinfo')).status, 200)
})

test('an answer that was not asked for here is refused', { skip }, async () => {
  const [store, clock] = [memoryStore(), new MovedClock()]
  const client = await signedIn(store, clock)
  const state = new URL(await client.beginSignIn()).searchParams.get('state')
  const refused = async (answer: Record<string, string>): Promise<string> => {
    const error = await client.finishSignIn(`${network.url}/shop?${new URLSearchParams(answer)}`).catch((reason: unknown) => reason)
    assert.ok(error instanceof SymbolonError)
    return error.code
  }
  assert.equal(await refused({ code: 'x', state: 'other', iss: network.url }), 'invalid_request')
  assert.equal(await refused({ code: 'x', state: state!, iss: 'https://other.example' }), 'invalid_request')
  assert.equal(await refused({ error: 'access_denied', state: state!, iss: network.url }), 'access_denied')
  assert.equal(await refused({ code: 'x', state: state!, iss: network.url }), 'invalid_request')
})
