import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { fetchDocument } from '../dist/network.js'
import { guarded } from './guarded.js'
import { until } from './until.js'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Node's `fetch` may lose its signal by this, while the body is being read. */
async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 10; round += 1) {
    await setImmediate()
    gc()
  }
}

test('a closed guard ends its connection, whatever garbage was collected', async (t) => {
  const { issuer, guard } = await guarded(t)
  await collectGarbage()
  guard.close()
  await until(() => issuer.connections[0]?.isOpen === false, 'the end of the connection')
})

test('a silent connection is ended, whatever garbage was collected', async (t) => {
  const { issuer } = await guarded(t, { silenceMs: 500 })
  await collectGarbage()
  await until(() => issuer.connections[0]?.isOpen === false, 'the end of the connection')
})

test('a document that does not end is given up, whatever garbage was collected', { timeout: 30_000 }, async (t) => {
  let isOpen = true
  const server = createServer((request, response) => {
    response.write('{')
    request.socket.once('close', () => (isOpen = false))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const outer = new AbortController()
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  let begun = false
  const watched: typeof fetch = async (...parameters) => {
    const response = await fetch(...parameters)
    begun = true
    return response
  }
  const reading = fetchDocument(watched, url, outer.signal)
  await until(() => begun, 'the answer to begin')
  await collectGarbage()
  outer.abort(new Error('given up'))
  await assert.rejects(reading, /given up/)
  await until(() => !isOpen, 'the end of the connection')
})
