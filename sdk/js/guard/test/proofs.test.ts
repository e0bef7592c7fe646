import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'

import { serve } from '@hono/node-server'
import express, { Router } from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose'

import { createGuard, type Guard, type GuardOptions } from '@symbolon/guard'
import * as forExpress from '@symbolon/guard/express'
import * as forFastify from '@symbolon/guard/fastify'
import * as forHono from '@symbolon/guard/hono'

import { isSameTarget } from '../dist/target.js'
import { guarded } from './guarded.js'
import type { TestIssuer } from './issuer.js'

const ADDRESS = 'https://api.example'

/** A client with a key of its own. */
class Client {
  readonly jwk: JWK
  readonly #key: CryptoKey

  private constructor(key: CryptoKey, jwk: JWK) {
    this.#key = key
    this.jwk = jwk
  }

  static async start(): Promise<Client> {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
    return new Client(privateKey, await exportJWK(publicKey))
  }

  async token(issuer: TestIssuer): Promise<string> {
    return issuer.sign({ cnf: { jkt: await calculateJwkThumbprint(this.jwk) } })
  }

  async proof(token: string, htu: string, more: object = {}): Promise<string> {
    const ath = createHash('sha256').update(token).digest('base64url')
    const iat = Math.floor(Date.now() / 1000)
    return new SignJWT({ jti: randomUUID(), htm: 'GET', htu, iat, ath, ...more })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'EdDSA', jwk: this.jwk })
      .sign(this.#key)
  }
}

async function prepared(t: TestContext, options: Partial<GuardOptions>): Promise<{ guard: Guard; client: Client; token: string }> {
  const { issuer, guard } = await guarded(t, options)
  const client = await Client.start()
  return { guard, client, token: await client.token(issuer) }
}

type Ask = { proofs: string[]; path?: string; host?: string; method?: string }

async function code(guard: Guard, token: string, ask: Ask): Promise<string | null> {
  const { answer } = await guard.judge({ authorization: [`DPoP ${token}`], requestId: undefined, method: 'GET', path: '/orders', ...ask })
  return answer ? (JSON.parse(answer.body) as { code: string }).code : null
}

test('d1: a proof is good once, for one request', async (t) => {
  const { guard, client, token } = await prepared(t, { address: `${ADDRESS}/v1/` })
  const proof = await client.proof(token, `${ADDRESS}/v1/orders`)
  assert.equal(await code(guard, token, { proofs: [proof], method: 'POST' }), 'invalid_dpop_proof')
  assert.equal(await code(guard, token, { proofs: [proof], path: '/other' }), 'invalid_dpop_proof')
  assert.equal(await code(guard, token, { proofs: [proof] }), null)
  assert.equal(await code(guard, token, { proofs: [proof] }), 'invalid_dpop_proof')
  await assert.rejects(guard.verify(token), { code: 'invalid_token' })
  assert.deepEqual(guard.metrics().rejected, { invalid_dpop_proof: 3, invalid_token: 1 })
})

test('d1: nothing good is forgotten to make room', async (t) => {
  const { guard, client, token } = await prepared(t, { address: ADDRESS, proofs: { capacity: 2 } })
  const [one, two] = await Promise.all([1, 2].map(() => client.proof(token, `${ADDRESS}/orders`)))
  assert.ok(one && two)
  const answers = [await code(guard, token, { proofs: [one] }), await code(guard, token, { proofs: [two] }), await code(guard, token, { proofs: [one] })]
  assert.deepEqual(answers, [null, 'overloaded', 'invalid_dpop_proof'])
})

test('d3: without an address no proof is judged', async (t) => {
  const { guard, client, token } = await prepared(t, {})
  const proof = await client.proof(token, `${ADDRESS}/orders`)
  assert.equal(await code(guard, token, { proofs: [proof], host: 'api.example' }), 'no_token')
})

test('d3: a nonce comes with the refusal', async (t) => {
  const { guard, client, token } = await prepared(t, { address: ADDRESS, proofs: { nonces: new Uint8Array(32).fill(7) } })
  const ask = async (more: object): Promise<Record<string, string> | undefined> => {
    const proof = await client.proof(token, `${ADDRESS}/`, more)
    const headers = { authorization: `DPoP ${token}`, dpop: proof }
    const { answer } = await guard.handle(new Request('http://localhost:3000/', { headers }))
    return answer && Object.fromEntries(answer.headers)
  }
  const refused = await ask({})
  assert.ok(refused)
  assert.match(refused['www-authenticate'] ?? '', /^Bearer, DPoP error="use_dpop_nonce"/)
  assert.equal(await ask({ nonce: refused['dpop-nonce'] }), undefined)
  assert.ok(await ask({ nonce: 'another' }))
})

test('d4: the host counts only where the owner says so', async (t) => {
  const { guard, client, token } = await prepared(t, { address: { host: 'https' } })
  const at = async (htu: string, host: string): Promise<string | null> => code(guard, token, { proofs: [await client.proof(token, htu)], host })
  assert.equal(await at('https://one.example/orders', 'one.example'), null)
  for (const host of ['two.example', 'one.example/x', 'x@one.example', '']) {
    assert.equal(await at('https://one.example/orders', host), 'invalid_dpop_proof', host)
  }
  assert.equal(await at('https://one.example/x/orders', 'one.example/x'), 'invalid_dpop_proof')
})

test('while the feed is not heard, nobody can be asked about a bound token', async (t) => {
  const { guard, clock, issuer } = await guarded(t, { address: ADDRESS, staleness: 'introspect' })
  const client = await Client.start()
  const token = await client.token(issuer)
  const proof = await client.proof(token, `${ADDRESS}/orders`)
  clock.offset = 20_000
  assert.equal(await code(guard, token, { proofs: [proof] }), 'overloaded')
  assert.equal(issuer.verifyRequests, 0)
})

test('options that make no sense', async () => {
  const options = { issuer: 'https://auth.example', audience: 'a' }
  for (const address of ['api.example', 'ftp://api.example', 'https://me@api.example', 'https://api.example?x']) {
    await assert.rejects(createGuard({ ...options, address }), TypeError, address)
  }
  for (const proofs of [{ maxAge: 0 }, { maxAge: 301 }, { capacity: 0 }, { nonces: new Uint8Array(31) }]) {
    await assert.rejects(createGuard({ ...options, proofs }), RangeError)
  }
})

test('a target that is none is the same as nothing', () => {
  for (const none of ['', 'x', 'https:///x', 'https:/a/b', 'https:a/b', 'https://a/%4', 'https://a\\b/', ' https://a/', 'https://a/\tb']) {
    assert.equal(isSameTarget(none, none), false, none)
  }
})

test('every framework hands on what a proof is judged by', async (t) => {
  const { guard, client, token } = await prepared(t, { address: ADDRESS })
  const app = express()
  app.use('/deep', forExpress.protect(guard), Router().get('/orders', forExpress.protect(guard), (_, response) => void response.end('in')))
  const fast = fastify()
  fast.get('/deep/orders', { onRequest: forFastify.protect(guard) }, () => 'in')
  await fast.ready()
  const hono = new Hono().get('/deep/orders', forHono.protect(guard), forHono.protect(guard), (context) => context.text('in'))
  const servers = [createServer(app), fast.server, serve({ fetch: hono.fetch, port: 0, hostname: '127.0.0.1' }) as Server]
  for (const server of servers) {
    t.after(() => server.close())
    if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const proof = await client.proof(token, `${ADDRESS}/deep/orders`)
    const headers = { authorization: `dpop ${token}`, dpop: proof, 'x-forwarded-host': 'evil.example' }
    const get = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}/deep/orders?x=1`, { headers })).status
    assert.deepEqual([await get(), await get()], [200, 401])
  }
})
