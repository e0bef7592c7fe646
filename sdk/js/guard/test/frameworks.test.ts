import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'

import { serve } from '@hono/node-server'
import { createGuard, requirePermission, requireRole, requireScope, requireSignIn, type Guard } from '@symbolon/guard'
import * as forExpress from '@symbolon/guard/express'
import * as forFastify from '@symbolon/guard/fastify'
import * as forFetch from '@symbolon/guard/fetch'
import * as forHono from '@symbolon/guard/hono'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'

import { AUDIENCE, TestIssuer } from './issuer.js'
import { until } from './until.js'

const demands = { '/admin': [requireRole('admin')], '/reports': [requirePermission('reports:read')], '/scoped': [requireScope('openid')], '/recent': [requireSignIn({ maxAge: 300, acr: ['2', '1'] })], '/': [] }
type Path = keyof typeof demands
const paths = Object.keys(demands) as Path[]

interface Answer {
  status: number | undefined
  headers: Record<string, unknown>
  body: string
}

/** What is compared: the answer less what servers say of themselves. */
const COMPARED = ['content-type', 'cache-control', 'www-authenticate', 'x-request-id', 'retry-after']

function get(server: Server, path: string, headers: string[]): Promise<Answer> {
  const { port } = server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    // Header lines as they are, two of one name included.
    request({ port, host: '127.0.0.1', path, headers: ['Host', 'localhost', ...headers] as never }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text) => (body += text)).on('end', () => {
        const compared = COMPARED.map((name) => [name, response.headers[name]])
        resolve({ status: response.statusCode, headers: Object.fromEntries(compared), body })
      })
    }).on('error', reject).end()
  })
}

const now = (): number => Math.floor(Date.now() / 1000)

/** A plain fetch handler behind Node's server: what an owner without a framework would write. */
function fetchServer(guard: Guard): Server {
  const handlers = new Map(paths.map((path) => [path, forFetch.protect(guard, (_, { claims }) => new Response(claims.sub), ...demands[path])]))
  return createServer(async (incoming, response) => {
    const headers = new Headers()
    for (let n = 0; n < incoming.rawHeaders.length; n += 2) headers.append(incoming.rawHeaders[n] ?? '', incoming.rawHeaders[n + 1] ?? '')
    const answer = await handlers.get(incoming.url as Path)?.(new Request(`http://localhost${incoming.url}`, { headers }))
    const body = (await answer?.text()) ?? ''
    response.writeHead(answer?.status ?? 404, [...(answer?.headers ?? [])].flat()).end(body)
  })
}

function expressServer(guard: Guard): Server {
  const app = express()
  for (const path of paths) app.get(path, forExpress.protect(guard, ...demands[path]), (req, res) => void res.end(req.auth?.claims.sub))
  return createServer(app)
}

async function fastifyServer(guard: Guard): Promise<Server> {
  const app = fastify()
  for (const path of paths) app.get(path, { onRequest: forFastify.protect(guard, ...demands[path]) }, (req) => req.auth?.claims.sub)
  await app.ready()
  return app.server
}

function honoServer(guard: Guard): Server {
  const app = new Hono()
  for (const path of paths) app.get(path, forHono.protect(guard, ...demands[path]), (context) => context.text(context.get('auth').claims.sub))
  return serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
}

describe('every framework gives the same answers', () => {
  let issuer: TestIssuer
  let guard: Guard
  const servers: [string, Server][] = []

  before(async () => {
    issuer = await TestIssuer.start()
    guard = await createGuard({
      issuer: issuer.url,
      audience: AUDIENCE,
      resource: 'https://api.example/v1',
      scopes: ['openid'],
      stalenessBoundMs: 600_000,
      onEvent: () => undefined,
    })
    servers.push(['express', expressServer(guard)], ['fastify', await fastifyServer(guard)], ['fetch', fetchServer(guard)], ['hono', honoServer(guard)])
    for (const [, server] of servers) {
      if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
    }
  })

  after(() => {
    guard.close()
    issuer.close()
    for (const [, server] of servers) server.close()
  })

  async function answered(path: string, headers: string[]): Promise<Answer> {
    const answers = await Promise.all(servers.map(async ([name, server]) => [name, await get(server, path, ['X-Request-Id', 'r.1', ...headers])] as const))
    const [first] = answers
    assert.ok(first)
    for (const [name, answer] of answers) {
      if (answer.status !== 200) assert.deepEqual(answer, first[1], name)
      else assert.deepEqual([answer.status, answer.body], [first[1].status, first[1].body], name)
    }
    return first[1]
  }

  const RESOURCE = 'resource_metadata="https://api.example/.well-known/oauth-protected-resource/v1"'
  const bearer = (token: string): string[] => ['Authorization', `Bearer ${token}`]

  async function refused(path: Path, headers: string[], status: number, code: string, challenge: string | undefined): Promise<void> {
    const { status: seen, headers: { 'www-authenticate': seenChallenge, ...others }, body } = await answered(path, headers)
    // The other scheme stands behind, with the same parameters.
    const both = challenge && `${challenge}, ${challenge.replace('Bearer', 'DPoP')}, algs="ES256 EdDSA RS256 PS256"`
    assert.deepEqual([seen, seenChallenge], [status, both], code)
    assert.equal(others['content-type'], 'application/problem+json')
    assert.equal(others['cache-control'], 'no-store')
    assert.equal(others['x-request-id'], 'r.1')
    assert.equal(others['retry-after'], status === 503 ? '1' : undefined)
    const problem = JSON.parse(body) as Record<string, unknown>
    assert.deepEqual(Object.keys(problem), ['type', 'title', 'status', 'detail', 'code', 'requestId'])
    assert.deepEqual([problem['type'], problem['status'], problem['code'], problem['requestId']], [`urn:symbolon:problem:${code}`, status, code, 'r.1'])
  }

  test('what is good passes', async () => {
    const token = await issuer.sign({ roles: ['admin'], scope: 'openid *', auth_time: now(), acr: '1' })
    for (const path of paths) assert.equal((await answered(path, bearer(token))).body, 'u1')
    assert.equal((await answered('/', ['authorization', `bEARER ${token}`])).status, 200)
  })

  test('no token, bad headers, bad tokens', async () => {
    const invalid = `Bearer ${RESOURCE}, error="invalid_token", error_description="The access token is not valid"`
    const expired = `Bearer ${RESOURCE}, error="invalid_token", error_description="The access token expired"`
    const good = await issuer.sign()
    await refused('/', [], 401, 'no_token', `Bearer ${RESOURCE}`)
    await refused('/', ['Authorization', 'Basic eDp5'], 401, 'no_token', `Bearer ${RESOURCE}`)
    await refused('/', bearer('x'), 401, 'invalid_token', invalid)
    await refused('/', ['Authorization', `Bearer  ${good}`], 401, 'invalid_token', invalid)
    await refused('/', bearer(`${good},x`), 401, 'invalid_token', invalid)
    await refused('/', [...bearer(good), ...bearer(good)], 400, 'malformed_request', undefined)
    await refused('/', ['Authorization', 'Basic eDp5', ...bearer(good)], 400, 'malformed_request', undefined)
    await refused('/', bearer(await issuer.sign({ exp: 1 })), 401, 'token_expired', expired)
  })

  test('demands that are not met', async () => {
    const token = await issuer.sign({ roles: ['user'], scope: 'orders:read reports' })
    await refused('/admin', bearer(token), 403, 'forbidden', undefined)
    await refused('/reports', bearer(token), 403, 'forbidden', undefined)
    const challenge = `Bearer ${RESOURCE}, error="insufficient_scope", error_description="The token's scope does not allow this", scope="openid"`
    await refused('/scoped', bearer(token), 403, 'insufficient_scope', challenge)
    await refused('/scoped', bearer(await issuer.sign({ scope: '*' })), 403, 'insufficient_scope', challenge)
  })

  test('a sign-in that is too old, of another kind, or unknown', async () => {
    const challenge = `Bearer ${RESOURCE}, error="insufficient_user_authentication", error_description="The person must sign in again", max_age="300", acr_values="2 1"`
    for (const claims of [{ auth_time: now() - 400, acr: '1' }, { auth_time: now(), acr: '3' }, { auth_time: now() }, { acr: '1' }, {}]) {
      await refused('/recent', bearer(await issuer.sign(claims)), 401, 'insufficient_user_authentication', challenge)
    }
  })

  test('the scopes to begin with are named to who has no good token', async () => {
    const options = { issuer: issuer.url, audience: AUDIENCE, onEvent: () => undefined }
    const named = await createGuard({ ...options, challengeScopes: ['notes:read', 'openid'] })
    try {
      const challenge = async (...authorization: string[]): Promise<string | undefined> => {
        const { answer } = await named.judge({ authorization, requestId: undefined }, [requireScope('notes:write')])
        return answer?.headers['WWW-Authenticate']
      }
      assert.equal(await challenge(), 'Bearer scope="notes:read openid"')
      assert.match((await challenge('Bearer x')) ?? '', /^Bearer error="invalid_token".*, scope="notes:read openid"$/)
      assert.match((await challenge(`Bearer ${await issuer.sign()}`)) ?? '', /error="insufficient_scope".*, scope="notes:write"$/)
      // Who signs in again asks for what they had.
      const { answer } = await named.judge({ authorization: [`Bearer ${await issuer.sign()}`], requestId: undefined }, [requireSignIn({ maxAge: 0 })])
      assert.match(answer?.headers['WWW-Authenticate'] ?? '', /^Bearer error="insufficient_user_authentication", error_description="[^"]+", max_age="0"$/)
    } finally {
      named.close()
    }
    for (const wrong of ['', 'a b', 'a"b']) {
      await assert.rejects(createGuard({ ...options, challengeScopes: [wrong] }), /^TypeError: challengeScopes/)
    }
  })

  test('revoked and stale', async () => {
    const [revoked, stale] = [await issuer.sign({ sid: 'r' }), await issuer.sign({ sub: 'other' })]
    const { entry } = await import('./issuer.js')
    const connection = await issuer.connection(0)
    connection.revocation(entry(1, 'session', 'r'))
    connection.revocation(entry(2, 'user', 'other', { effect: 'stale', below: 9 }))
    await until(() => guard.metrics().seq === 2, 'the entries')
    const challenge = (what: string): string => `Bearer ${RESOURCE}, error="invalid_token", error_description="The access token ${what}"`
    await refused('/', bearer(revoked), 401, 'token_revoked', challenge('was revoked'))
    await refused('/', bearer(stale), 401, 'token_stale', challenge('is stale'))
  })

  test('a request id that is none is replaced', async () => {
    for (const [name, server] of servers) {
      const { headers, body } = await get(server, '/', ['X-Request-Id', 'a"b'])
      const { requestId } = JSON.parse(body) as { requestId: string }
      assert.match(requestId, /^[A-Za-z0-9._-]{1,64}$/, name)
      assert.equal(headers['x-request-id'], requestId)
    }
  })

  test('a closed guard answers 503 where it cannot know', async () => {
    const closed = await createGuard({ issuer: issuer.url, audience: AUDIENCE, stalenessBoundMs: 1, onEvent: () => undefined })
    closed.close()
    await until(() => !closed.metrics().fresh, 'the guard to be stale')
    const { answer } = await closed.handle(new Request('http://localhost', { headers: { authorization: `Bearer ${await issuer.sign()}` } }))
    assert.ok(answer)
    assert.deepEqual([answer.status, answer.headers.get('retry-after'), answer.headers.get('www-authenticate')], [503, '1', null])
    assert.equal(((await answer.json()) as { code: string }).code, 'overloaded')
  })

  test('the metadata of the resource', () => {
    assert.deepEqual(guard.resourceMetadata(), {
      resource: 'https://api.example/v1',
      authorization_servers: [issuer.url],
      bearer_methods_supported: ['header'],
      scopes_supported: ['openid'],
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'RS256', 'PS256'],
    })
  })
})
