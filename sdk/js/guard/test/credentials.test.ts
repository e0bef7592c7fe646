import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'

import { createGuard, type GuardEvent, type GuardOptions } from '@symbolon/guard'

import { guarded } from './guarded.js'
import { AUDIENCE, TestIssuer } from './issuer.js'
import { until } from './until.js'

const SECRET = 'a:b%c d+é'
const feedCredentials = { clientId: 'the api:1', clientSecret: SECRET }
const HEADER = `Basic ${Buffer.from('the+api%3A1:a%3Ab%25c+d%2B%C3%A9').toString('base64')}`

/** Lets in who brings this header only. */
function wants(header: string): TestIssuer['admit'] {
  return (request, response) => {
    const isGood = request.headers.authorization === header
    if (!isGood) response.writeHead(401, { 'www-authenticate': 'Basic realm="feed"', 'content-type': 'text/plain' }).end('no')
    return isGood
  }
}

/** What is told of them at the end. */
function refusals(events: readonly GuardEvent[]): (string | undefined)[] {
  return events.filter(({ type }) => type === 'feed_refused').map(({ message }) => message.split(': ').at(-1))
}

test('credentials are sent with each connection of the feed, and with nothing else', async (t) => {
  const { issuer, guard, clock, verdict } = await guarded(t, { feedCredentials, staleness: 'introspect' }, (issuer) => {
    issuer.admit = wants(HEADER)
    issuer.greet = (connection) => connection.snapshot()
  })
  issuer.connections[0]?.cut()
  await until(() => guard.metrics().snapshots === 2, 'the second connection')
  await issuer.rotate('k2')
  clock.offset = 11_000
  const token = await issuer.sign()
  assert.equal(await verdict(token), null)
  clock.offset = 60_000
  assert.equal(await verdict(token), null)
  const sent = new Map<string, Set<string | undefined>>()
  for (const { path, authorization } of issuer.asked) sent.set(path, (sent.get(path) ?? new Set()).add(authorization))
  assert.deepEqual(Object.fromEntries(sent), {
    '/.well-known/oauth-authorization-server': new Set([undefined]),
    '/jwks': new Set([undefined]),
    '/stream': new Set([HEADER]),
    '/verify': new Set([`Bearer ${token}`]),
  })
  assert.equal(issuer.jwksRequests, 2)
})

test('a guard without credentials sends none', async (t) => {
  const { issuer } = await guarded(t)
  assert.deepEqual(issuer.asked.map(({ authorization }) => authorization), [undefined, undefined, undefined])
})

test('a redirect carries them nowhere', async (t) => {
  const [issuer, other] = [await TestIssuer.start(), await TestIssuer.start()]
  for (const one of [issuer, other]) t.after(() => one.close())
  let redirects = 0
  issuer.admit = (_, response) => {
    redirects += 1
    response.writeHead(307, { location: redirects % 2 ? `${other.url}/stream` : `${issuer.url}/elsewhere` }).end()
    return false
  }
  const options = { issuer: issuer.url, audience: AUDIENCE, feedCredentials, start: 'background', onEvent: () => undefined } as const
  const guard = await createGuard(options)
  t.after(() => guard.close())
  await until(() => redirects >= 2, 'two redirects')
  assert.deepEqual(other.asked, [])
  assert.ok(issuer.asked.every(({ path }) => path !== '/elsewhere'))
})

test('a 401 of the feed at the start says what to set, and shows no secret', async (t) => {
  const issuer = await TestIssuer.start()
  t.after(() => issuer.close())
  issuer.admit = wants(HEADER)
  const start = (options: Partial<GuardOptions>): Promise<unknown> =>
    createGuard({ issuer: issuer.url, audience: AUDIENCE, startTimeoutMs: 2000, onEvent: () => undefined, ...options }).catch((error: unknown) => error)
  const wrong = { clientId: 'orders', clientSecret: 'another-secret' }
  const [none, refused] = await Promise.all([start({}), start({ feedCredentials: wrong })])
  assert.match(String(none), /\/stream answered 401 text\/plain: set feedCredentials$/)
  assert.match(String(refused), /\/stream answered 401 text\/plain: these feedCredentials are refused$/)
  assert.doesNotMatch(inspect(refused, { showHidden: true, depth: Infinity }), /another-secret|Basic/)
})

test('a 401 of the feed at a start in the background is told once, and again after it was mended', async (t) => {
  const { issuer, guard, events } = await guarded(t, { start: 'background' }, (issuer) => {
    issuer.admit = wants(HEADER)
  })
  const asked = (): number => issuer.asked.filter(({ path }) => path === '/stream').length
  await until(() => asked() >= 3, 'two more attempts')
  assert.deepEqual(refusals(events), ['set feedCredentials'])
  issuer.admit = () => true
  await until(() => guard.metrics().fresh, 'the feed')
  issuer.admit = wants(HEADER)
  issuer.connections[0]?.cut()
  await until(() => refusals(events).length === 2, 'the second refusal')
})

test('a 401 of the feed later on: stale, until the server accepts them again', async (t) => {
  const { issuer, guard, clock, events, verdict } = await guarded(t, { feedCredentials }, (issuer) => {
    issuer.admit = wants(HEADER)
  })
  const token = await issuer.sign()
  assert.equal(await verdict(token), null)
  issuer.admit = wants('Basic bmV3Om9uZQ==')
  const before = issuer.asked.length
  issuer.connections[0]?.cut()
  await until(() => issuer.asked.length >= before + 2, 'another attempt')
  clock.offset = 16_000
  assert.equal(await verdict(token), 'overloaded')
  assert.equal(guard.metrics().fresh, false)
  issuer.admit = wants(HEADER)
  assert.equal((await issuer.connection(1)).lastEventId, 'e1:0')
  await until(() => guard.metrics().fresh, 'the feed')
  assert.equal(await verdict(token), null)
  assert.equal(guard.metrics().malformed, 0)
  assert.deepEqual(refusals(events), ['these feedCredentials are refused'])
  const seen = inspect([guard, guard.metrics(), events], { showHidden: true, depth: Infinity }) + JSON.stringify(guard)
  for (const secret of [SECRET, HEADER.slice('Basic '.length), '%3Ab%25c']) assert.ok(!seen.includes(secret), secret)
})
