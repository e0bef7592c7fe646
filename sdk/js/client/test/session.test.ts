import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'

import { memoryStorage, NetworkError } from '@symbolon/client'

import { client, clock, heard, HOUR_MS, name, network, person, refused, server, signedIn } from './place.js'

test('restore: who is signed in, or nobody', async () => {
  const storage = memoryStorage()
  assert.deepEqual(await client({ storage }).restore(), { status: 'signedOut', reason: 'no_refresh_token' })
  assert.equal(network.seen.length, 0)
  await signedIn({ storage })
  const state = await client({ storage }).restore()
  assert.ok(state.status === 'signedIn')
  assert.equal(state.user.email, person.email)
})

test('restore rejects where the server cannot be asked, and knows nothing then', async () => {
  const storage = memoryStorage()
  await signedIn({ storage })
  const symbolon = client({ storage })
  network.loses = (path) => path === '/api/user/profile'
  await assert.rejects(symbolon.restore(), NetworkError)
  assert.equal(symbolon.state.status, 'unknown')
  network.loses = () => false
  assert.equal((await symbolon.restore()).status, 'signedIn')
  assert.equal(network.count('POST', '/api/refresh'), 1)
})

test('a token that is refused when the user is asked for is replaced, once', async () => {
  const storage = memoryStorage()
  await signedIn({ storage })
  const refuse = (times: number): void => {
    network.pages.set('/api/user/profile', (_, response) => {
      if ((times -= 1) === 0) network.pages.clear()
      response.writeHead(401, { 'content-type': 'application/problem+json' }).end('{"code":"token_stale"}')
    })
  }
  refuse(1)
  assert.equal((await client({ storage }).restore()).status, 'signedIn')
  assert.equal(network.count('POST', '/api/refresh'), 2)
  refuse(Infinity)
  assert.equal((await refused(client({ storage }).restore())).code, 'token_stale')
  assert.equal(network.count('POST', '/api/refresh'), 4)
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
