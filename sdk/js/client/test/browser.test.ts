import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'

import type { SymbolonClient } from '@symbolon/client'
import type { Browser, BrowserContext, Page } from 'playwright-core'

import { launch, noChromium, open, serveClient, servePage } from './chromium.js'
import { Network, seeded } from './network.js'
import { Server } from './server.js'

declare global {
  /** In the page. */
  var symbolon: SymbolonClient
  var told: unknown[]
  var advance: () => void
}

/** What a page does: a client whose clock the test can move on, and what its listener heard. */
const page = (issuer: string): string => `
  import { createClient } from '/client/index.js'
  let ahead = 0
  const clock = { now: () => performance.now() + ahead, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) }
  globalThis.advance = () => { ahead += 3_600_000 }
  globalThis.symbolon = createClient({ issuer: '${issuer}', clock })
  globalThis.told = []
  symbolon.onChange((state) => told.push(state))`

let network: Network
let server: Server
let browser: Browser
let context: BrowserContext
let faults: string[]
let person: { email: string; password: string }
let people = 0
const name = (): string => `person${people}`

const skip = noChromium
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
beforeEach(async () => {
  if (skip) return
  network.seen.length = network.refreshingAtMost = network.lost = 0
  network.loses = () => false
  network.pages.clear()
  await serveClient(network)
  servePage(network, '/page', page(network.url))
  context = await browser.newContext()
  faults = []
  people += 1
  person = await server.person(name())
})
afterEach(async () => {
  if (skip) return
  await context.close()
  assert.deepEqual(faults, [])
})

const tab = (): Promise<Page> => open(context, `${network.url}/page`, faults)
const tabs = (count: number): Promise<Page[]> => Promise.all(Array.from({ length: count }, tab))
const login = (where: Page): Promise<unknown> => where.evaluate((credentials) => symbolon.login(credentials), person)
const status = (where: Page): Promise<string> => where.evaluate(() => symbolon.state.status)
/** Waits until a tab knows that the person is signed in, or out. */
const becomes = async (where: Page, wanted: string): Promise<unknown> => where.waitForFunction((status) => symbolon.state.status === status, wanted)

/** Every token expires at once, and every tab calls the server until it has an answer; the statuses. */
async function round(all: Page[]): Promise<number[]> {
  // Of all before any calls: a token that one is given must not be too old for another.
  await Promise.all(all.map((one) => one.evaluate(() => advance())))
  return Promise.all(
    all.map((one) =>
      one.evaluate(async () => {
        for (;;) {
          try {
            return (await symbolon.fetch('/api/user/profile')).status
          } catch (error) {
            if ((error as Error).name === 'SymbolonError') throw error
          }
        }
      }),
    ),
  )
}

test('ten tabs whose tokens expire at once, one answer in five lost: nobody is signed out, one refresh at a time', { skip }, async () => {
  const all = await tabs(10)
  await login(all[0]!)
  await Promise.all(all.map((one) => becomes(one, 'signedIn')))
  const chance = seeded(3)
  network.loses = (path) => path.startsWith('/api/') && chance() < 0.2
  const ROUNDS = 10
  for (let rounds = 0; rounds < ROUNDS; rounds += 1) assert.deepEqual(new Set(await round(all)), new Set([200]))
  assert.ok(network.lost > ROUNDS, `${network.lost} answers were lost`)
  assert.equal(network.refreshingAtMost, 1)
  assert.deepEqual(new Set(await Promise.all(all.map(status))), new Set(['signedIn']))
  const heard = await Promise.all(all.map((one) => one.evaluate(() => told.length)))
  assert.deepEqual(new Set(heard), new Set([1]), 'nobody was told anything but that the person is signed in')
  assert.equal(await server.sessions(name()), 1)
})

test('ten tabs, one refresh: the others are given the token', { skip }, async () => {
  const all = await tabs(10)
  await login(all[0]!)
  await Promise.all(all.map((one) => becomes(one, 'signedIn')))
  await round(all)
  assert.equal(network.count('POST', '/api/refresh'), 1)
})

test('ten tabs whose tokens are refused at once, because roles have changed: one refresh', { skip }, async () => {
  const all = await tabs(10)
  await login(all[0]!)
  await Promise.all(all.map((one) => becomes(one, 'signedIn')))
  const authorization = `Bearer ${await all[0]!.evaluate(() => symbolon.getAccessToken())}`
  await server.command('user', 'set-roles', name(), '--role', 'admin', '--role', 'user')
  while ((await fetch(`${server.url}/api/sessions`, { headers: { authorization } })).status !== 401);
  const statuses = await Promise.all(all.map((one) => one.evaluate(async () => (await symbolon.fetch('/api/sessions')).status)))
  assert.deepEqual(new Set(statuses), new Set([200]))
  assert.equal(network.count('POST', '/api/refresh'), 1)
  const roles = await Promise.all(all.map((one) => one.evaluate(() => symbolon.state.status === 'signedIn' && symbolon.state.user.roles.join())))
  assert.deepEqual(new Set(roles), new Set(['admin,user']))
})

test('ten tabs that open at once find the session', { skip }, async () => {
  await login(await tab())
  const all = await tabs(10)
  const states = await Promise.all(all.map((one) => one.evaluate(() => symbolon.restore())))
  assert.deepEqual(new Set(states.map((state) => state.status === 'signedIn' && state.user.email)), new Set([person.email]))
  assert.equal(network.refreshingAtMost, 1)
})

test('ten tabs without Web Locks and without channels: nobody is signed out', { skip }, async () => {
  await context.addInitScript(() => {
    Object.defineProperty(navigator, 'locks', { value: undefined })
    Object.defineProperty(globalThis, 'BroadcastChannel', { value: undefined })
  })
  const all = await tabs(10)
  await login(all[0]!)
  await Promise.all(all.map((one) => one.evaluate(() => symbolon.restore())))
  const chance = seeded(5)
  network.loses = (path) => path === '/api/refresh' && chance() < 0.2
  for (let rounds = 0; rounds < 5; rounds += 1) assert.deepEqual(new Set(await round(all)), new Set([200]))
  assert.ok(network.lost > 5)
  assert.ok(network.refreshingAtMost > 1)
  assert.deepEqual(new Set(await Promise.all(all.map(status))), new Set(['signedIn']))
  assert.equal(await server.sessions(name()), 1)

  // Somebody else signs in elsewhere: a tab that hears nothing finds out at its next refresh.
  people += 1
  person = await server.person(name())
  await login(all[1]!)
  await round([all[0]!])
  assert.equal(await all[0]!.evaluate(() => symbolon.state.status === 'signedIn' && symbolon.state.user.email), person.email)
})

test('signing in and out in one tab is signing in and out in all', { skip }, async () => {
  const [first, second] = (await tabs(2)) as [Page, Page]
  await login(first)
  await becomes(second, 'signedIn')
  await second.evaluate(() => symbolon.logout())
  await becomes(first, 'signedOut')
  assert.deepEqual(await first.evaluate(() => told.at(-1)), { status: 'signedOut', reason: 'signed_out' })
  assert.equal(await server.sessions(name()), 0)
  const state = await (await tab()).evaluate(() => symbolon.restore())
  assert.deepEqual(state, { status: 'signedOut', reason: 'no_refresh_token' })
})

test('every tab is told why the session has ended', { skip }, async () => {
  const all = await tabs(3)
  await login(all[0]!)
  await Promise.all(all.map((one) => becomes(one, 'signedIn')))
  await server.command('session', 'revoke', '--user', name())
  await all[0]!.evaluate(async () => {
    for (let isIn = true; isIn; ) isIn = (await symbolon.fetch('/api/sessions').catch(() => undefined)) !== undefined
  })
  for (const one of all) {
    await becomes(one, 'signedOut')
    assert.deepEqual(await one.evaluate(() => told.at(-1)), { status: 'signedOut', reason: 'session_revoked' })
  }
})

test('no token is where a script could find it later', { skip }, async () => {
  const where = await tab()
  await login(where)
  await where.evaluate(() => symbolon.getAccessToken())
  const found = await where.evaluate(async () => ({
    local: { ...localStorage },
    session: { ...sessionStorage },
    cookie: document.cookie,
    databases: await indexedDB.databases(),
    global: JSON.stringify(symbolon),
  }))
  assert.deepEqual({ ...found, global: found.global.includes('ey') }, { local: {}, session: {}, cookie: '', databases: [], global: false })
  const [cookie] = await context.cookies(`${network.url}/api/refresh`)
  assert.ok(cookie?.httpOnly && cookie.secure && cookie.sameSite === 'Strict')
})

test('a tab that stands still in its turn does not hold up the others for ever', { skip }, async () => {
  const first = await tab()
  await login(first)
  await context.addInitScript(() => {
    const timeout = AbortSignal.timeout.bind(AbortSignal)
    AbortSignal.timeout = (ms) => timeout(ms / 20)
  })
  const second = await tab()
  await first.evaluate((issuer) => {
    void navigator.locks.request(`symbolon ${issuer}`, () => new Promise(() => {}))
  }, network.url)
  assert.equal((await second.evaluate(() => symbolon.restore())).status, 'signedIn')
})

test('a page of another origin, which the server lists', { skip }, async (t) => {
  const elsewhere = await Network.start()
  t.after(() => elsewhere.close())
  const listing = await Server.start({ 'cors.origins': [elsewhere.url] })
  t.after(() => listing.close())
  await listing.person(name())
  await serveClient(elsewhere)
  servePage(elsewhere, '/page', page(listing.url))
  const where = await open(context, `${elsewhere.url}/page`, faults)
  await login(where)
  const answer = await where.evaluate(async (url) => {
    advance()
    return (await symbolon.fetch(`${url}/api/sessions`)).status
  }, listing.url)
  assert.equal(answer, 200)
  await where.evaluate(() => symbolon.logout())
  assert.equal(await listing.sessions(name()), 0)
})

test('the token goes to no other origin, by no redirect either', { skip }, async (t) => {
  const foreign = await Network.start()
  t.after(() => foreign.close())
  const headers = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*, authorization' }
  foreign.pages.set('/orders', (_, response) => response.writeHead(200, headers).end())
  network.pages.set('/away', (_, response) => response.writeHead(307, { location: `${foreign.url}/orders` }).end())
  const where = await tab()
  await login(where)
  const statuses = await where.evaluate(async (url) => [(await symbolon.fetch(`${url}/orders`)).status, (await symbolon.fetch('/away')).status], foreign.url)
  assert.deepEqual(statuses, [200, 200])
  const sent = foreign.seen.filter(({ method }) => method === 'GET')
  assert.deepEqual(sent.map(({ authorization }) => authorization), [undefined, undefined])
  assert.match(network.seen.find(({ path }) => path === '/away')!.authorization!, /^Bearer ey/)
})
