import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'

import { Network } from './network.js'
import { clock, heard, HOUR_MS, name, network, server, signedIn } from './place.js'

test('401 once: one refresh, one more try, and then the answer', async () => {
  const symbolon = await signedIn()
  network.pages.set('/orders', (_, response) => response.writeHead(401).end())
  const { status } = await symbolon.fetch('/orders')
  assert.equal(status, 401)
  assert.equal(network.count('GET', '/orders'), 2)
  assert.equal(network.count('POST', '/api/refresh'), 1)
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
