import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { createGuard, requirePermission, requireRole, requireScope, requireSignIn, Rejection, type Demand } from '@symbolon/guard'

import { credential } from '../dist/authorization.js'
import { Checker } from '../dist/checker.js'
import { feedKey, readEntry } from '../dist/entry.js'
import { KeySet } from '../dist/keys.js'
import { render } from '../dist/problem.js'
import { readSnapshot } from '../dist/snapshot.js'
import { until } from './until.js'
import { readVectors } from './vectors.js'

const vectors = readVectors()
const { issuer, audience, leeway } = vectors
const jwks = JSON.stringify(vectors.jwks)
const keys = await new KeySet().next(jwks)

/** `null` where nothing is refused, else the code. */
async function codeOf(work: () => unknown): Promise<string | null> {
  try {
    await work()
    return null
  } catch (error) {
    if (error instanceof Rejection) return error.code
    throw error
  }
}

function checker(now: number, feed: unknown): Checker {
  const algorithms = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const
  const checker = new Checker({ issuer, audience, leeway, algorithms, cacheCapacity: 10, now: () => now })
  checker.setKeys(keys)
  for (const batch of readSnapshot([JSON.stringify(feed)])) for (const raw of batch) checker.revocations.apply(readEntry(raw))
  for (const _ of checker.expire(now));
  return checker
}

describe('the shared vectors', () => {
  test('feed keys', () => {
    for (const { kind, id, key } of vectors.feedKeys) assert.equal(feedKey(kind, id), key, `${kind}:${id}`)
  })

  test('the header Authorization', async () => {
    for (const { name, values, scheme, token, code } of vectors.authorization) {
      assert.equal(await codeOf(() => assert.deepEqual(credential(values), { scheme, token }, name)), code ?? null, name)
    }
  })

  test('tokens', async (t) => {
    for (const { name, token, feed, now, code, subject } of vectors.tokens) {
      await t.test(name, async () => {
        const guard = checker(now, vectors.feeds[feed])
        assert.equal(await codeOf(() => guard.check(token)), code)
        // Seen before or not makes no difference.
        assert.equal(await codeOf(() => guard.check(token)), code)
        if (code === null) assert.equal((await guard.check(token)).claims.sub, subject)
      })
    }
  })

  test('demands', async () => {
    const guard = checker(vectors.now, vectors.feeds['empty'])
    for (const { name, token, roles, permission, scope, signIn, code } of vectors.demands) {
      const demands: Demand[] = []
      if (roles) demands.push(requireRole(...roles))
      if (permission) demands.push(requirePermission(permission))
      if (scope) demands.push(requireScope(scope))
      if (signIn) demands.push(requireSignIn(signIn))
      assert.equal(demands.length, 1, name)
      const verified = await guard.check(token)
      assert.equal(demands[0]?.(verified, { now: vectors.now, leeway })?.code ?? null, code, name)
    }
  })

  test('proofs', async (t) => {
    const server = new ScriptedServer([{ text: `event: snapshot\nid: e1:0\ndata: ${JSON.stringify(vectors.feeds['empty'])}\n\n` }])
    const clock = { wall: () => vectors.now * 1000, monotonic: () => 0 }
    const options = { issuer, audience, leeway, clock, fetch: server.fetch, onEvent: () => undefined }
    const guard = await createGuard({ ...options, address: 'https://api.example' })
    try {
      for (const { name, scheme, token, dpop, method, url, code } of vectors.proofs) {
        const path = url.slice('https://api.example'.length).replace(/\?.*/, '')
        const incoming = { authorization: [`${scheme} ${token}`], requestId: undefined, proofs: dpop, method, path, host: 'evil.example' }
        const said = async (): Promise<unknown> => {
          const { answer } = await guard.judge(incoming)
          return answer ? (JSON.parse(answer.body) as { code: string }).code : null
        }
        await t.test(name, async () => {
          assert.equal(await said(), code)
          if (code === null && scheme === 'dpop') assert.equal(await said(), 'invalid_dpop_proof')
        })
      }
    } finally {
      guard.close()
    }
  })

  test('answers', () => {
    for (const { code, resourceMetadata, proofs, scope, signIn, status, challenge, retryAfter, title, detail } of vectors.answers) {
      const answer = render(new Rejection(code, scope ?? undefined, signIn ?? undefined), 'r1', { resourceMetadata: resourceMetadata ?? undefined, proofs })
      const type = `urn:symbolon:problem:${code}`
      assert.equal(answer.status, status, code)
      assert.equal(answer.headers['WWW-Authenticate'] ?? null, challenge, code)
      assert.equal(answer.headers['Retry-After'] ?? null, retryAfter === null ? null : String(retryAfter), code)
      assert.equal(answer.body, JSON.stringify({ type, title, status, detail, code, requestId: 'r1' }))
    }
  })

  test('streams', { concurrency: true }, async (t) => {
    await Promise.all(vectors.streams.map((vector) => t.test(vector.name, async () => {
      const server = new ScriptedServer(vector.connections)
      const clock = { wall: () => vectors.now * 1000, monotonic: () => performance.now() }
      const guard = await createGuard({ issuer, audience, leeway, clock, fetch: server.fetch, onEvent: () => undefined, start: 'background' })
      try {
        const { epoch, seq, entries, malformed } = vector.after
        // The connection after the last shows that all of it was read.
        await until(() => server.asked.length > vector.connections.length, 'a connection after the last')
        const metrics = guard.metrics()
        assert.deepEqual(server.asked.slice(0, -1), vector.connections.map(({ lastEventId }) => lastEventId))
        assert.deepEqual(
          { epoch: metrics.epoch, seq: metrics.seq, entries: metrics.entries, malformed: metrics.malformed },
          { epoch, seq, entries, malformed },
        )
        for (const { token, code } of vector.probe) assert.equal(await codeOf(() => guard.verify(token)), code)
      } finally {
        guard.close()
      }
    })))
  })
})

/** Plays the server's part of a stream: each connection gets its text and is cut. */
class ScriptedServer {
  readonly asked: (string | null)[] = []
  readonly #connections: readonly { text: string }[]

  constructor(connections: readonly { text: string }[]) {
    this.#connections = connections
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input)
    if (pathname === '/keys') return new Response(jwks)
    if (pathname !== '/stream') return Response.json({ issuer, jwks_uri: `${issuer}/keys`, revocation_stream_uri: `${issuer}/stream` })
    const connection = this.#connections[this.asked.length]
    this.asked.push(new Headers(init?.headers).get('last-event-id'))
    if (!connection) return new Response(null, { status: 503 })
    return new Response(connection.text, { headers: { 'content-type': 'text/event-stream' } })
  }
}
