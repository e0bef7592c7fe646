// What each test without a browser has: a person, a network of its own to one real server, and a clock.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach } from 'node:test'

import { createClient, SymbolonError, type ClientOptions, type SymbolonClient } from '@symbolon/client'

import { MovedClock, Network } from './network.js'
import { Server } from './server.js'

export const HOUR_MS = 3_600_000

export let server: Server
export let network: Network
export let clock: MovedClock
export let person: { email: string; password: string }
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

export const name = (): string => `person${people}`
export const client = (options: Partial<ClientOptions> = {}): SymbolonClient => createClient({ issuer: network.url, clock, ...options })

export async function signedIn(options: Partial<ClientOptions> = {}): Promise<SymbolonClient> {
  const symbolon = client(options)
  await symbolon.login(person)
  return symbolon
}

/** The error that a call must end with. */
export async function refused(promise: Promise<unknown>): Promise<SymbolonError> {
  const error = await promise.then(
    () => assert.fail('it was not refused'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof SymbolonError, String(error))
  return error
}

/** Waits until the running server refuses a token for what a command beside it did. */
export async function heard(symbolon: SymbolonClient): Promise<void> {
  const headers = { authorization: `Bearer ${await symbolon.getAccessToken()}` }
  while ((await fetch(`${server.url}/api/sessions`, { headers })).status !== 401);
}
