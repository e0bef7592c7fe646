import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, beforeEach, test } from 'node:test'

import { createClient, memoryStorage, NetworkError, SymbolonError, type ClientOptions, type SymbolonClient } from '@symbolon/client'

import { MovedClock, Network, seeded } from './network.js'
import { Server } from './server.js'

const HOUR_MS = 3_600_000

let server: Server
let network: Network
let clock: MovedClock
let person: { email: string; password: string }
let people = 0
const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

before(async () => {
  server = await Server.start()
})
after(async () => {
  await server.close()
  assert.deepEqual(unhandled, [])
})
beforeEach(async () => {
  network = await Network.start(server.url)
  clock = new MovedClock()
  people += 1
  person = await server.person(name())
})
afterEach(() => network.close())

const name = (): string => `person${people}`
const client = (options: Partial<ClientOptions> = {}): SymbolonClient => createClient({ issuer: network.url, clock, ...options })

async function signedIn(options: Partial<ClientOptions> = {}): Promise<SymbolonClient> {
  const symbolon = client(options)
  await symbolon.login(person)
  return symbolon
}

/** The error that a call must end with. */
async function refused(promise: Promise<unknown>): Promise<SymbolonError> {
  const error = await promise.then(
    () => assert.fail('it was not refused'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof SymbolonError, String(error))
  return error
}

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

test('restore: who is signed in, or nobody', async () => {
  const storage = memoryStorage()
  assert.deepEqual(await client({ storage }).restore(), { status: 'signedOut', reason: 'no_refresh_token' })
  assert.equal(network.seen.length, 0)
  await signedIn({ storage })
  const state = await client({ storage }).restore()
  assert.ok(state.status === 'signedIn')
  assert.equal(state.user.email, person.email)
})

test('a wrong password, and fields at fault', async () => {
  const symbolon = client()
  const wrong = await refused(symbolon.login({ ...person, password: 'wrong' }))
  assert.deepEqual([wrong.code, wrong.status], ['invalid_credentials', 401])
  assert.ok(wrong.requestId)
  const invalid = await refused(symbolon.register({ email: 'nobody', password: 'x' }))
  assert.deepEqual([invalid.code, invalid.status], ['validation_failed', 422])
  assert.deepEqual(invalid.errors.map(({ pointer }) => pointer).sort(), ['/email', '/password'])
  const { user } = await symbolon.register({ email: `new-${person.email}`, password: 'correct horse battery' })
  assert.equal(user.email, `new-${person.email}`)
})

test('logout ends the session at the server, and says so', async () => {
  const storage = memoryStorage()
  const symbolon = await signedIn({ storage })
  const accessToken = await symbolon.getAccessToken()
  const told: unknown[] = []
  symbolon.onChange((state) => told.push(state))
  await symbolon.logout()
  assert.deepEqual(told, [{ status: 'signedOut', reason: 'signed_out' }])
  assert.equal(await storage.get(), undefined)
  assert.equal(await server.sessions(name()), 0)
  const { status } = await fetch(`${server.url}/api/sessions`, { headers: { authorization: `Bearer ${accessToken}` } })
  assert.equal(status, 401)
  assert.equal((await refused(symbolon.getAccessToken())).code, 'signed_out')
})

test('logout works when the access token has expired, and when it is refused', async () => {
  const late = await signedIn()
  clock.advance(HOUR_MS)
  await late.logout()
  assert.equal(network.count('DELETE', '/api/refresh'), 1)
  const stale = await signedIn()
  await server.command('user', 'set-roles', name(), '--role', 'admin', '--role', 'user')
  await heard(stale)
  await stale.logout()
  assert.equal(await server.sessions(name()), 0)
})

test('a logout that does not reach the server leaves the person signed in', async () => {
  const symbolon = await signedIn()
  network.loses = () => true
  await assert.rejects(symbolon.logout(), NetworkError)
  assert.equal(symbolon.state.status, 'signedIn')
  network.loses = () => false
  await symbolon.logout()
  assert.equal(symbolon.state.status, 'signedOut')
})

test('logoutEverywhere ends every session, also if the answer is lost', async () => {
  const other = await signedIn()
  const symbolon = await signedIn()
  let losses = 1
  network.loses = (path) => path === '/api/logout/all' && losses-- > 0
  await symbolon.logoutEverywhere()
  assert.equal(await server.sessions(name()), 0)
  assert.deepEqual(symbolon.state.status, 'signedOut')
  clock.advance(HOUR_MS)
  assert.equal((await refused(other.getAccessToken())).code, 'session_revoked')
})

/** Waits until the running server refuses a token for what a command beside it did. */
async function heard(symbolon: SymbolonClient): Promise<void> {
  const headers = { authorization: `Bearer ${await symbolon.getAccessToken()}` }
  while ((await fetch(`${server.url}/api/sessions`, { headers })).status !== 401);
}

test('a session that was ended elsewhere: the next call says why, once', async () => {
  const symbolon = await signedIn()
  const told: unknown[] = []
  symbolon.onChange((state) => told.push(state))
  await server.command('session', 'revoke', '--user', name())
  await heard(symbolon)
  const codes = await Promise.all([1, 2, 3].map(async () => (await refused(symbolon.fetch(`${network.url}/api/sessions`))).code))
  assert.deepEqual(codes, ['session_revoked', 'session_revoked', 'session_revoked'])
  assert.deepEqual(told, [{ status: 'signedOut', reason: 'session_revoked' }])
})

test('roles that changed: refresh and go on, with the new roles', async () => {
  const symbolon = await signedIn()
  await server.command('user', 'set-roles', name(), '--role', 'admin', '--role', 'user')
  await heard(symbolon)
  const response = await symbolon.fetch(`${network.url}/api/sessions`)
  assert.equal(response.status, 200)
  assert.equal(network.count('POST', '/api/refresh'), 1)
  assert.deepEqual(symbolon.state.status === 'signedIn' && symbolon.state.user.roles, ['admin', 'user'])
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

test('an answer of something on the way is a fault, and no end', async () => {
  const symbolon = await signedIn()
  clock.advance(HOUR_MS)
  network.pages.set('/api/refresh', (_, response) => response.writeHead(403).end('<h1>Blocked</h1>'))
  const error = await refused(symbolon.getAccessToken())
  assert.deepEqual([error.code, error.status], ['unknown', 403])
  assert.equal(symbolon.state.status, 'signedIn')
})

test('401 once: one refresh, one more try, and then the answer', async () => {
  const symbolon = await signedIn()
  network.pages.set('/orders', (_, response) => response.writeHead(401).end())
  const { status } = await symbolon.fetch('/orders')
  assert.equal(status, 401)
  assert.equal(network.count('GET', '/orders'), 2)
  assert.equal(network.count('POST', '/api/refresh'), 1)
})

test('a request is sent again whole, a stream is not', async () => {
  const symbolon = await signedIn()
  const bodies: string[] = []
  network.pages.set('/orders', async (request, response) => {
    bodies.push(await text(request))
    response.writeHead(bodies.length % 2 ? 401 : 201).end()
  })
  const headers = { 'x-mark': '1' }
  assert.equal((await symbolon.fetch('/orders', { method: 'POST', body: 'tea', headers })).status, 201)
  assert.equal((await symbolon.fetch(new Request(`${network.url}/orders`, { method: 'PUT', body: 'bread' }))).status, 201)
  assert.deepEqual(bodies, ['tea', 'tea', 'bread', 'bread'])

  const body = new Blob(['salt']).stream()
  const init = { method: 'POST', body, duplex: 'half' } as RequestInit
  assert.equal((await symbolon.fetch('/orders', init)).status, 401)
  assert.equal(bodies.length, 5)
})

test('the token goes to no other origin', async () => {
  const foreign = await Network.start(server.url)
  const resource = await Network.start(server.url)
  try {
    for (const place of [foreign, resource]) place.pages.set('/orders', (_, response) => response.end())
    const symbolon = await signedIn({ resources: [`${resource.url}/orders`] })
    await symbolon.fetch(`${foreign.url}/orders`)
    await symbolon.fetch(new Request(`${foreign.url}/orders`))
    await symbolon.fetch(`${resource.url}/orders`)
    network.pages.set('/away', (_, response) => response.writeHead(307, { location: `${foreign.url}/orders` }).end())
    assert.equal((await symbolon.fetch('/away')).status, 200)
    assert.deepEqual(foreign.seen.map(({ authorization }) => authorization), [undefined, undefined, undefined])
    assert.match(resource.seen[0]!.authorization!, /^Bearer ey/)
  } finally {
    foreign.close()
    resource.close()
  }
})

test('a signal ends the waiting of its caller, and of no other', async () => {
  const symbolon = await signedIn()
  clock.advance(HOUR_MS)
  const controller = new AbortController()
  network.before = () => controller.abort(new Error('left'))
  const [first, second] = await Promise.allSettled([
    symbolon.fetch('/api/sessions', { signal: controller.signal }),
    symbolon.getAccessToken(),
  ])
  assert.match(String(first.status === 'rejected' && first.reason), /left/)
  assert.equal(second.status, 'fulfilled')
})

test('a server that says nothing is waited for, for a while', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.closeAllConnections())
  t.after(() => silent.close())
  t.mock.method(AbortSignal, 'timeout', () => AbortSignal.abort(new DOMException('late', 'TimeoutError')))
  const symbolon = client({ issuer: `http://127.0.0.1:${(silent.address() as AddressInfo).port}` })
  const error = await symbolon.login(person).catch((reason: unknown) => reason)
  assert.ok(error instanceof NetworkError)
  assert.equal(error.code, 'timeout')
})

test('a listener that throws keeps nothing from the others, and is reported', async (t) => {
  const symbolon = await signedIn()
  const reported: unknown[] = []
  const later = queueMicrotask
  t.mock.method(globalThis, 'queueMicrotask', (act: () => void) =>
    later(() => {
      try {
        act()
      } catch (error) {
        reported.push(error)
      }
    }),
  )
  let isTold = false
  symbolon.onChange(() => {
    throw new Error('broken listener')
  })
  symbolon.onChange(() => (isTold = true))
  await symbolon.logout()
  assert.ok(isTold)
  assert.deepEqual(reported.map(String), ['Error: broken listener'])
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
