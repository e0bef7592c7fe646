import assert from 'node:assert/strict'
import { test } from 'node:test'

import { memoryStorage, NetworkError, SymbolonError } from '@symbolon/client'

import { MovedClock, seeded } from './network.js'
import { client, clock, HOUR_MS, name, network, person, refused, server, signedIn } from './place.js'
import { Server } from './server.js'

test('a token is used until shortly before its end, and then replaced', async () => {
  const symbolon = await signedIn()
  const first = await symbolon.getAccessToken()
  clock.advance(869_000)
  assert.equal(await symbolon.getAccessToken(), first)
  clock.advance(2000)
  assert.notEqual(await symbolon.getAccessToken(), first)
  assert.equal(network.count('POST', '/api/refresh'), 1)
})

test('refreshAhead says how early, but a short life is used for half of it', async () => {
  const symbolon = await signedIn({ refreshAhead: 100_000 })
  const first = await symbolon.getAccessToken()
  clock.advance(449_000)
  assert.equal(await symbolon.getAccessToken(), first)
  clock.advance(2000)
  assert.notEqual(await symbolon.getAccessToken(), first)
})

test('many callers, one refresh', async () => {
  const symbolon = await signedIn()
  clock.advance(HOUR_MS)
  const tokens = await Promise.all(Array.from({ length: 50 }, () => symbolon.getAccessToken()))
  assert.equal(new Set(tokens).size, 1)
  assert.equal(network.count('POST', '/api/refresh'), 1)
})

test('ten callers whose tokens expire at once, one answer in five lost: nobody is signed out', async () => {
  const chance = seeded(7)
  network.loses = () => chance() < 0.2
  const symbolon = await until(() => signedIn())
  const told: string[] = []
  symbolon.onChange(({ status }) => told.push(status))
  const before = await server.sessions(name())
  for (let round = 0; round < 40; round += 1) {
    clock.advance(HOUR_MS)
    const statuses = await Promise.all(
      Array.from({ length: 10 }, () => until(async () => (await symbolon.fetch(`${network.url}/api/user/profile`)).status)),
    )
    assert.deepEqual(new Set(statuses), new Set([200]))
  }
  assert.ok(network.lost > 60, `${network.lost} answers were lost`)
  assert.deepEqual(told, [])
  assert.equal(network.refreshingAtMost, 1)
  assert.equal(await server.sessions(name()), before)
})

test('ten programs with one storage and no lock, one answer in five lost: nobody is signed out', async () => {
  const storage = memoryStorage()
  await signedIn({ storage })
  const chance = seeded(11)
  network.loses = (path) => path === '/api/refresh' && chance() < 0.2
  const clocks = Array.from({ length: 10 }, () => new MovedClock())
  const programs = clocks.map((own) => client({ storage, clock: own }))
  for (let round = 0; round < 10; round += 1) {
    for (const own of clocks) own.advance(HOUR_MS)
    await Promise.all(programs.map((symbolon) => symbolon.getAccessToken()))
  }
  assert.ok(network.lost > 10)
  assert.deepEqual(new Set(programs.map(({ state }) => state.status)), new Set(['signedIn']))
  assert.equal(await server.sessions(name()), 1)
})

/** Again after each lost answer. */
async function until<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (error instanceof SymbolonError) throw error
    }
  }
}

test('the new refresh token is kept before the new access token is used', async () => {
  const kept = memoryStorage()
  const order: string[] = []
  let isFull = false
  const storage = {
    ...kept,
    set: async (token: string) => {
      if (isFull) throw new Error('disk full')
      order.push('set')
      await kept.set(token)
      order.push('kept')
    },
  }
  const symbolon = await signedIn({ storage })
  network.before = ({ method, path }) => void order.push(`${method} ${path}`)
  clock.advance(HOUR_MS)
  await symbolon.fetch(`${network.url}/api/sessions`)
  assert.deepEqual(order, ['set', 'kept', 'POST /api/refresh', 'set', 'kept', 'GET /api/sessions'])

  // What cannot be kept is not used, and the session goes on with the token before.
  isFull = true
  clock.advance(HOUR_MS)
  await assert.rejects(symbolon.fetch(`${network.url}/api/sessions`), /disk full/)
  isFull = false
  assert.equal((await symbolon.fetch(`${network.url}/api/sessions`)).status, 200)
  assert.equal(symbolon.state.status, 'signedIn')
})

test('a program that died between the answer and the storage goes on', async () => {
  const storage = memoryStorage()
  await signedIn({ storage })
  const dying = { ...storage, set: () => new Promise<void>(() => {}) }
  const dead = client({ storage: dying })
  void dead.getAccessToken()
  await new Promise<void>((resolve) => {
    dying.set = () => (resolve(), new Promise<void>(() => {}))
  })
  assert.equal((await client({ storage }).restore()).status, 'signedIn')
})

test('what another program has kept meanwhile is left alone', async () => {
  const storage = memoryStorage()
  const symbolon = await signedIn({ storage })
  const other = await signedIn()
  // A newer token, while a refresh is under way.
  network.before = () => storage.set('newer')
  clock.advance(HOUR_MS)
  await symbolon.getAccessToken()
  assert.equal(await storage.get(), 'newer')
  await storage.clear()

  // Signed out there, while a refresh is under way here.
  await symbolon.login(person)
  network.before = () => storage.clear()
  clock.advance(HOUR_MS)
  assert.equal((await refused(symbolon.getAccessToken())).code, 'no_refresh_token')
  assert.equal(await storage.get(), undefined)

  // Signed in there, while this session ends.
  network.before = () => {}
  await symbolon.login(person)
  await other.logoutEverywhere()
  network.before = () => storage.set('of another session')
  clock.advance(HOUR_MS)
  assert.equal((await refused(symbolon.getAccessToken())).code, 'session_revoked')
  assert.equal(await storage.get(), 'of another session')
})

test('a server that restarts in the middle', async () => {
  const symbolon = await signedIn()
  clock.advance(HOUR_MS)
  let isRestarted = false
  network.before = async () => {
    if (isRestarted) return
    isRestarted = true
    await server.down()
    await server.up()
    // The request goes nowhere, for the old address is gone.
  }
  const asked = symbolon.getAccessToken()
  network.loses = () => (network.upstream === server.url ? false : true)
  const waits = clock.sleep
  clock.sleep = async (ms) => {
    network.upstream = server.url
    await waits(ms)
  }
  await asked
  assert.ok(clock.slept.length > 0)
  assert.equal(symbolon.state.status, 'signedIn')
})

test('retries are bounded, and the person stays signed in', async () => {
  const symbolon = await signedIn()
  clock.advance(HOUR_MS)
  network.loses = () => true
  const began = clock.now()
  const error = await symbolon.getAccessToken().catch((reason: unknown) => reason)
  assert.ok(error instanceof NetworkError)
  assert.equal(error.code, 'network_failed')
  assert.equal(network.count('POST', '/api/refresh'), 8)
  assert.ok(clock.now() - began < 30_000)
  assert.equal(symbolon.state.status, 'signedIn')
  network.loses = () => false
  await symbolon.getAccessToken()
})

test('a token that is still good is given out while the server cannot be reached', async () => {
  const symbolon = await signedIn({ refreshAhead: 400 })
  const first = await symbolon.getAccessToken()
  clock.advance(600_000)
  network.loses = () => true
  assert.equal(await symbolon.getAccessToken(), first)
})

test('Retry-After is obeyed, also by later calls', async () => {
  const symbolon = await signedIn()
  clock.advance(HOUR_MS)
  let retryAfter = '3'
  let busy = 1
  network.pages.set('/api/refresh', (_, response) => {
    if (busy-- <= 0) network.pages.delete('/api/refresh')
    response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': retryAfter }).end('{"code":"overloaded"}')
  })
  await symbolon.getAccessToken()
  assert.deepEqual(clock.slept, [3000, 3000])

  clock.advance(HOUR_MS)
  retryAfter = '60'
  busy = 0
  network.pages.set('/api/refresh', (_, response) => {
    response.writeHead(429, { 'content-type': 'application/problem+json', 'retry-after': retryAfter }).end('{"code":"rate_limited"}')
  })
  const asked = network.seen.length
  assert.deepEqual((await refused(symbolon.getAccessToken())).code, 'rate_limited')
  assert.deepEqual((await refused(symbolon.getAccessToken())).code, 'rate_limited')
  assert.equal(network.seen.length, asked + 1)
  assert.equal(symbolon.state.status, 'signedIn')
  network.pages.clear()
  clock.advance(60_000)
  await symbolon.getAccessToken()
})

test('a good answer of something on the way, such as a hotel, is no answer', async () => {
  const symbolon = await signedIn()
  clock.advance(HOUR_MS)
  network.pages.set('/api/refresh', (_, response) => response.end('<h1>Welcome</h1>'))
  await assert.rejects(symbolon.getAccessToken(), NetworkError)
  assert.equal(symbolon.state.status, 'signedIn')
})

test('an answer of something on the way is a fault, and no end', async () => {
  const symbolon = await signedIn()
  clock.advance(HOUR_MS)
  network.pages.set('/api/refresh', (_, response) => response.writeHead(403).end('<h1>Blocked</h1>'))
  const error = await refused(symbolon.getAccessToken())
  assert.deepEqual([error.code, error.status], ['unknown', 403])
  assert.equal(symbolon.state.status, 'signedIn')
})

test('theft is told to the owner, whoever was first', async (t) => {
  const strict = await Server.start({ 'refresh.leeway': '0s' })
  t.after(() => strict.close())
  network.upstream = strict.url
  await strict.person(name())
  for (const isOwnerFirst of [true, false]) {
    const storage = memoryStorage()
    const owner = await signedIn({ storage })
    const told: unknown[] = []
    owner.onChange((state) => told.push(state))
    const stolen = (await storage.get())!
    const next = async (): Promise<unknown> => {
      clock.advance(HOUR_MS)
      return owner.getAccessToken()
    }
    if (isOwnerFirst) {
      await next()
      await next()
      assert.equal(await refreshed(strict, stolen), 'refresh_token_reused')
    } else {
      await refreshed(strict, await refreshed(strict, stolen))
    }
    const error = await refused(next())
    assert.equal(error.code, isOwnerFirst ? 'session_revoked' : 'refresh_token_reused')
    assert.deepEqual(told, [{ status: 'signedOut', reason: error.code }])
    assert.equal(await storage.get(), undefined)
  }
})

/** What a thief gets: the next refresh token, or the code of the refusal. */
async function refreshed({ url }: Server, refreshToken: string): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/api/refresh`, { method: 'POST', headers, body: JSON.stringify({ refreshToken }) })
  const body = (await response.json()) as { refreshToken?: string; code?: string }
  return (body.refreshToken ?? body.code)!
}
