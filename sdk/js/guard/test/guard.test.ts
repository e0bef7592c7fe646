import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'

import { createGuard, Rejection, requireRole, requireSignIn, StartError, type GuardOptions } from '@symbolon/guard'

import { guarded, verdict } from './guarded.js'
import { AUDIENCE, TestIssuer, entry } from './issuer.js'
import { until } from './until.js'

test('the clock: where it differs by a minute, the server\'s counts; told once, and once when it is over', async (t) => {
  const { issuer, guard, clock, events, verdict } = await guarded(t)
  const now = Math.floor(Date.now() / 1000)
  const [old, early] = [await issuer.sign({ iat: now - 100, exp: now - 20 }), await issuer.sign({ iat: now + 40 })]
  assert.deepEqual([await verdict(old), await verdict(early)], ['token_expired', 'invalid_token'])
  const told = (): string[] => events.map(({ type }) => type).filter((type) => type.startsWith('clock'))
  const connection = await issuer.connection(0)
  connection.heartbeat(0, now - 60)
  connection.heartbeat(0, now - 60)
  await until(() => guard.metrics().skew <= -59, 'the skew')
  assert.equal(await verdict(old), null)
  connection.heartbeat(0, now + 60)
  await until(() => guard.metrics().skew >= 59, 'the skew')
  assert.deepEqual([await verdict(old), await verdict(early)], ['token_expired', null])
  assert.deepEqual(told(), ['clock_skewed'])
  // One that seems to come from the past may have been late.
  connection.heartbeat(0)
  connection.heartbeat(0)
  await until(() => guard.metrics().skew === 0, 'the end of the skew')
  assert.deepEqual(told(), ['clock_skewed', 'clock_right'])
  assert.equal(clock.offset, 0)
})

test('expiry is checked at each use, though the token was seen before', async (t) => {
  const { issuer, clock, verdict } = await guarded(t, { staleness: 'fail_open' })
  const token = await issuer.sign()
  assert.equal(await verdict(token), null)
  clock.offset = 906_000
  assert.equal(await verdict(token), 'token_expired')
})

test('a sign-in grows old by the clock that counts, though the token was seen before', async (t) => {
  const { issuer, guard, clock } = await guarded(t, { staleness: 'fail_open' })
  const token = await issuer.sign({ auth_time: Math.floor(Date.now() / 1000), acr: '1' })
  const demand = requireSignIn({ maxAge: 300 })
  assert.equal((await guard.verify(token, demand)).claims.acr, '1')
  clock.offset = 200_000
  await guard.verify(token, demand)
  clock.offset = 310_000
  const refusal = await guard.verify(token, demand).catch((error: unknown) => error)
  assert.ok(refusal instanceof Rejection)
  assert.deepEqual([refusal.code, refusal.status, refusal.signIn?.maxAge], ['insufficient_user_authentication', 401, 300])
  assert.equal(guard.metrics().rejected.insufficient_user_authentication, 1)
})

test('a sign-in that nobody could meet is no demand', () => {
  for (const wrong of [{}, { maxAge: -1 }, { maxAge: 1.5 }, { maxAge: NaN }, { acr: [] }, { acr: ['a b'] }, { acr: ['a"'] }, { acr: [''] }]) {
    assert.throws(() => requireSignIn(wrong), JSON.stringify(wrong))
  }
})

test('a stale guard, fail_closed: 503 for what is good or revoked, 401 for what is not a token', async (t) => {
  const { issuer, guard, clock, events, verdict } = await guarded(t, { stalenessBoundMs: 1000, silenceMs: 60_000 })
  const token = await issuer.sign()
  await until(() => events.some(({ type }) => type === 'stale'), 'the guard to be stale')
  assert.equal(await verdict(token), 'overloaded')
  assert.equal(await verdict('a.b.c'), 'invalid_token')
  assert.equal(await verdict(await issuer.sign({ exp: 1 })), 'token_expired')
  assert.equal(guard.metrics().fresh, false)
  issuer.connections[0]?.heartbeat(0)
  await until(() => events.some(({ type }) => type === 'fresh'), 'the guard to be fresh')
  // What time has passed is judged when a token comes, not when a timer fires.
  assert.equal(await verdict(token), null)
  clock.offset = 5000
  assert.equal(await verdict(token), 'overloaded')
})

test('a stale guard, fail_open: goes on with what it knows', async (t) => {
  const { issuer, guard, verdict } = await guarded(t, { stalenessBoundMs: 1, silenceMs: 60_000, staleness: 'fail_open' })
  await until(() => !guard.metrics().fresh, 'the guard to be stale')
  assert.equal(await verdict(await issuer.sign()), null)
})

test('a stale guard, introspect: asks the server, which has the last word', async (t) => {
  const { issuer, guard, verdict } = await guarded(t, { stalenessBoundMs: 1, silenceMs: 60_000, staleness: 'introspect' })
  await until(() => !guard.metrics().fresh, 'the guard to be stale')
  const token = await issuer.sign()
  assert.equal(await verdict(token), null)
  const answers: [number, string, string][] = [
    [401, '{"code":"token_revoked"}', 'token_revoked'],
    [401, '{"code":"token_stale"}', 'token_stale'],
    [401, 'no JSON', 'invalid_token'],
    [401, '{"code":"forbidden"}', 'invalid_token'],
    [403, '{"code":"toString"}', 'forbidden'],
    [500, '', 'overloaded'],
    [302, '', 'overloaded'],
    [204, '', 'overloaded'],
  ]
  for (const [status, body, code] of answers) {
    issuer.verify = (request, response) => {
      assert.equal(request.headers.authorization, `Bearer ${token}`)
      response.writeHead(status, { location: '/elsewhere' }).end(status === 204 ? undefined : body)
    }
    assert.equal(await verdict(token), code, `${status} ${body}`)
  }
  // What is no token, or known to be revoked, is not carried to the server.
  const before = issuer.verifyRequests
  assert.equal(await verdict('a.b.c'), 'invalid_token')
  issuer.connections[0]?.revocation(entry(1, 'session', 's1'))
  await until(() => guard.metrics().seq === 1, 'the entry')
  await until(() => !guard.metrics().fresh, 'the guard to be stale')
  assert.equal(await verdict(token), 'token_revoked')
  assert.equal(issuer.verifyRequests, before)
  assert.equal(guard.metrics().introspections, before)
})

test('introspection: 64 at once, the others are sent away', async (t) => {
  const { issuer, guard, verdict } = await guarded(t, { stalenessBoundMs: 1, silenceMs: 60_000, staleness: 'introspect' })
  await until(() => !guard.metrics().fresh, 'the guard to be stale')
  const token = await issuer.sign()
  const open: (() => void)[] = []
  issuer.verify = (_, response) => open.push(() => response.end())
  const asked = Array.from({ length: 70 }, () => verdict(token))
  await until(() => open.length === 64, '64 requests')
  await until(() => guard.metrics().rejected.overloaded === 6, 'the others to be sent away')
  for (const answer of open) answer()
  assert.equal((await Promise.all(asked)).filter((code) => code === null).length, 64)
})

test('an unknown key: one fetch for a stampede, then none until it has cooled down', async (t) => {
  const { issuer, guard, clock, verdict } = await guarded(t)
  assert.equal(issuer.jwksRequests, 1)
  await issuer.rotate('k2')
  const tokens = await Promise.all(Array.from({ length: 100 }, (_, n) => issuer.sign({ jti: `t${n}` })))
  assert.deepEqual(await Promise.all(tokens.map(verdict)), Array(100).fill(null))
  assert.equal(issuer.jwksRequests, 2)
  await issuer.rotate('k3')
  const late = await issuer.sign()
  assert.deepEqual(await Promise.all(Array.from({ length: 50 }, () => verdict(late))), Array(50).fill('invalid_token'))
  assert.equal(issuer.jwksRequests, 2)
  clock.offset = 10_001
  assert.equal(await verdict(late), null)
  assert.equal(issuer.jwksRequests, 3)
  assert.deepEqual([guard.metrics().keyFetches, guard.metrics().keyFailures], [3, 0])
})

test('a withdrawn key: the next unknown one is asked for at once', async (t) => {
  const { issuer, guard, verdict } = await guarded(t)
  const old = await issuer.sign()
  await issuer.rotate('k2', false)
  assert.equal(await verdict(await issuer.sign()), 'invalid_token')
  await issuer.rotate('k3')
  const next = await issuer.sign()
  assert.equal(await verdict(next), 'invalid_token')
  assert.equal(issuer.jwksRequests, 2)
  const connection = await issuer.connection(0)
  const apply = async (revocation: { seq: number }): Promise<void> => {
    connection.revocation(revocation)
    await until(() => guard.metrics().seq === revocation.seq, 'the entry')
  }
  await apply(entry(1, 'session', 's9'))
  assert.equal(await verdict(next), 'invalid_token')
  assert.equal(issuer.jwksRequests, 2)
  await apply(entry(2, 'key', 'k1'))
  assert.equal(await verdict(old), 'token_revoked')
  assert.equal(await verdict(next), null)
  assert.equal(issuer.jwksRequests, 3)
  // Once; and an entry that was heeded before is no news.
  await issuer.rotate('k4')
  connection.revocation(entry(2, 'key', 'k1'))
  await apply(entry(3, 'session', 's8'))
  assert.equal(await verdict(await issuer.sign()), 'invalid_token')
  assert.equal(issuer.jwksRequests, 3)
})

test('keys that cannot be read: the old ones stay', async (t) => {
  const { issuer, guard, clock, events, verdict } = await guarded(t)
  const good = await issuer.sign()
  await issuer.rotate('k2')
  const unknown = await issuer.sign()
  issuer.jwksWork = false
  assert.equal(await verdict(unknown), 'invalid_token')
  assert.equal(await verdict(good), null)
  issuer.jwksWork = true
  const [keep] = issuer.keys
  issuer.keys = [{ ...keep, d: 'AA' }]
  clock.offset = 11_000
  assert.equal(await verdict(unknown), 'invalid_token')
  assert.equal(await verdict(good), null)
  assert.equal(guard.metrics().keyFailures, 2)
  assert.equal(events.filter(({ type }) => type === 'keys_failed').length, 2)
})

test('a key that is published no more: its tokens are refused, seen before or not', async (t) => {
  const { issuer, clock, verdict } = await guarded(t, { staleness: 'fail_open' })
  const old = await issuer.sign()
  assert.equal(await verdict(old), null)
  issuer.keys = []
  await issuer.rotate('k2')
  assert.equal(await verdict(await issuer.sign()), null)
  assert.equal(await verdict(old), 'invalid_token')
  // A key that comes back under an old name with other numbers does not revive them.
  issuer.keys = []
  await issuer.rotate('k1')
  await issuer.rotate('k3')
  clock.offset = 10_001
  assert.equal(await verdict(await issuer.sign()), null)
  assert.equal(await verdict(old), 'invalid_token')
})

test('many tokens at once: the cache never takes one for another', async (t) => {
  const { issuer, guard } = await guarded(t, { cacheCapacity: 3 })
  const tokens = await Promise.all(Array.from({ length: 10 }, (_, n) => issuer.sign({ sub: `u${n}` })))
  for (let round = 0; round < 3; round += 1) {
    const verified = await Promise.all(tokens.map((token) => guard.verify(token)))
    assert.deepEqual(verified.map(({ claims }) => claims.sub), tokens.map((_, n) => `u${n}`))
  }
})

test('what is shared between requests cannot be changed', async (t) => {
  const { issuer, guard } = await guarded(t)
  const { claims } = await guard.verify(await issuer.sign({ roles: ['user'], address: { city: 'Athens' } }))
  assert.throws(() => (claims.roles as string[]).push('admin'), TypeError)
  assert.throws(() => Object.assign(claims, { sub: 'other' }), TypeError)
  assert.throws(() => Object.assign(claims['address'] as object, { city: 'Sparta' }), TypeError)
})

test('a closed guard does not keep following, and is not fresh for long', async (t) => {
  const { issuer, guard, clock, verdict } = await guarded(t)
  const token = await issuer.sign()
  guard.close()
  await until(() => issuer.connections[0]?.isOpen === false, 'the end of the connection')
  clock.offset = 16_000
  assert.equal(await verdict(token), 'overloaded')
  assert.equal(guard.metrics().reconnects, 0)
})

test('metrics', async (t) => {
  const { issuer, guard } = await guarded(t)
  await guard.verify(await issuer.sign())
  await verdict(guard, 'x')
  await guard.judge({ authorization: [], requestId: undefined })
  await guard.verify(await issuer.sign(), requireRole('admin')).catch(() => undefined)
  const { secondsSinceHeard, ...rest } = guard.metrics()
  assert.ok(secondsSinceHeard !== null && secondsSinceHeard >= 0)
  assert.ok(Math.abs(rest.skew) < 2)
  assert.deepEqual({ ...rest, skew: 0 }, {
    accepted: 1,
    rejected: { invalid_token: 1, no_token: 1, forbidden: 1 },
    reconnects: 0,
    snapshots: 1,
    applied: 0,
    malformed: 0,
    keyFetches: 1,
    keyFailures: 0,
    fresh: true,
    entries: 0,
    introspections: 0,
    epoch: 'e1',
    seq: 0,
    skew: 0,
  })
})

async function failure(t: { after: (f: () => void) => void }, prepare: (issuer: TestIssuer) => void, options: Partial<GuardOptions> = {}): Promise<string> {
  const issuer = await TestIssuer.start()
  t.after(() => issuer.close())
  prepare(issuer)
  const started = createGuard({ issuer: issuer.url, audience: AUDIENCE, startTimeoutMs: 2000, onEvent: () => undefined, ...options })
  const error: unknown = await started.then((guard) => guard.close(), (error: unknown) => error)
  assert.ok(error instanceof StartError, String(error))
  return error.message.replaceAll(issuer.url, 'URL')
}

test('a start that fails says at which step and why', async (t) => {
  const change = (metadata: object) => (issuer: TestIssuer) => void Object.assign(issuer.metadata, metadata)
  const expected: [RegExp, (issuer: TestIssuer) => void, Partial<GuardOptions>?][] = [
    [/^reading the metadata of the issuer: the metadata names another issuer$/, change({ issuer: 'http://other.example' })],
    [/^reading the metadata of the issuer: the metadata has no jwks_uri$/, change({ jwks_uri: undefined })],
    [/: jwks_uri is neither https nor on this machine$/, change({ jwks_uri: 'http://keys.example/jwks' })],
    [/: revocation_stream_uri is not a URL$/, change({ revocation_stream_uri: '/stream' })],
    [/: revocation_stream_uri is neither https/, change({ revocation_stream_uri: 'file:///etc/passwd' })],
    [/: the metadata has no verification_uri$/, change({ verification_uri: undefined }), { staleness: 'introspect' }],
    [/^reading the keys of the issuer, not done within 2 s: URL\/jwks answered 500$/, (issuer) => (issuer.jwksWork = false)],
    [/^taking a snapshot of the revocation feed, not done within 2 s: the server ended the connection$/, (issuer) => (issuer.greet = (connection) => connection.end())],
    [/^reading the metadata of the issuer, not done within 2 s: fetch failed: .*ECONNREFUSED/, (issuer) => issuer.close()],
  ]
  await Promise.all(expected.map(async ([message, prepare, options]) => assert.match(await failure(t, prepare, options), message)))
})

test('a document that is too long, and one that leads elsewhere, are not read', async (t) => {
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/long')) return void response.end('x'.repeat(1_048_577))
    if (request.url?.startsWith('/.well-known/oauth-authorization-server/long')) return void response.end(' '.repeat(1_048_577))
    return void response.writeHead(302, { location: '/long' }).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const start = (issuer: string): Promise<unknown> => createGuard({ issuer, audience: AUDIENCE, startTimeoutMs: 2000 })
  await assert.rejects(start(`${url}/long`), /answered more than 1048576 bytes/)
  await assert.rejects(start(url), /redirect/)
})

test('a start in the background: 503 until it is done', async (t) => {
  const issuer = await TestIssuer.start()
  t.after(() => issuer.close())
  const { greet } = issuer
  issuer.greet = () => undefined
  issuer.jwksWork = false
  const guard = await createGuard({ issuer: issuer.url, audience: AUDIENCE, start: 'background', onEvent: () => undefined })
  t.after(() => guard.close())
  const token = await issuer.sign()
  assert.equal(await verdict(guard, token), 'overloaded')
  assert.equal(await verdict(guard, 'x'), 'invalid_token')
  issuer.jwksWork = true
  const connection = await issuer.connection(0)
  assert.equal(await verdict(guard, token), 'overloaded')
  greet(connection)
  await until(() => guard.metrics().fresh, 'the start')
  assert.equal(await verdict(guard, token), null)
})

test('options that make no sense are named', async () => {
  const good = { issuer: 'https://auth.example', audience: 'api' }
  const wrong: [object, RegExp][] = [
    [{ issuer: 'auth.example' }, /^issuer/],
    [{ issuer: 'https://auth.example?x' }, /^issuer/],
    [{ audience: '' }, /^audience/],
    [{ leeway: 61 }, /^leeway/],
    [{ staleness: 'maybe' }, /^staleness/],
    [{ algorithms: ['none'] }, /^algorithms/],
    [{ algorithms: [] }, /^algorithms/],
    [{ stalenessBoundMs: 0 }, /^stalenessBoundMs/],
    [{ resource: 'api' }, /^resource/],
    [{ feedCredentials: null }, /^feedCredentials\.clientId: missing$/],
    [{ feedCredentials: 'orders:secret' }, /^feedCredentials\.clientId: missing$/],
    [{ feedCredentials: { clientId: '', clientSecret: 'secret' } }, /^feedCredentials\.clientId: missing$/],
    [{ feedCredentials: { clientId: 'orders' } }, /^feedCredentials\.clientSecret: missing$/],
    [{ feedCredentials: { clientId: 'orders', clientSecret: '' } }, /^feedCredentials\.clientSecret: missing$/],
    [{ feedCredentials: { clientId: 'orders', clientSecret: ['secret'] } }, /^feedCredentials\.clientSecret: missing$/],
  ]
  for (const [options, message] of wrong) {
    await assert.rejects(createGuard({ ...good, ...options }), (error: Error) => message.test(error.message))
  }
})
