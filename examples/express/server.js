import { once } from 'node:events'
import { createServer } from 'node:http'

import { createGuard, requirePermission, requireRole, requireScope } from '@symbolon/guard'
import { protect } from '@symbolon/guard/express'
import express from 'express'

import { Orders } from './orders.js'
import { onError, problem } from './problem.js'
import { stopOnSignal } from './stop.js'

const { ISSUER, AUDIENCE = ISSUER, LISTEN = '127.0.0.1:0', STALENESS, STALENESS_BOUND } = process.env
if (!ISSUER) fail('ISSUER is not set: the address of the Symbolon server, such as http://127.0.0.1:8080')
const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(LISTEN) ?? fail(`LISTEN is no HOST:PORT: ${LISTEN}`)

// With port 0 the address is known only now, and the metadata of the resource names it.
const server = createServer().listen(Number(port), host)
await once(server, 'listening').catch((error) => fail(error.message))
const address = `http://${host.includes(':') ? `[${host}]` : host}:${server.address().port}`

// The guard: from here …
const guard = await createGuard({
  issuer: ISSUER,
  audience: AUDIENCE,
  resource: address,
  scopes: ['openid'],
  staleness: STALENESS,
  stalenessBoundMs: STALENESS_BOUND && Number(STALENESS_BOUND) * 1000,
}).catch((error) => fail(error.message))
const signedIn = protect(guard)
const admin = protect(guard, requireRole('admin'))
const reader = protect(guard, requirePermission('reports:read'))
const openid = protect(guard, requireScope('openid'))
// … to here. A route that has one of these four is protected, and `req.auth` is the token.

const orders = new Orders()
const app = express().disable('x-powered-by').disable('etag')
app.get('/', (req, res) => res.json({ service: 'orders', orders: orders.size }))
app.get('/guard', (req, res) => res.json(guard.metrics()))
app.get('/.well-known/oauth-protected-resource', (req, res) => res.json(guard.resourceMetadata()))
app.use('/orders', signedIn, orders.routes())
app.get('/admin/orders', admin, (req, res) => res.json({ items: orders.all() }))
app.get('/reports', reader, (req, res) => res.json({ reports: [] }))
app.get('/scoped', openid, (req, res) => res.json({ scope: req.auth.claims.scope }))
app.use((req, res) => problem(res, 404, 'not_found', 'There is nothing here.'))
app.use(onError)

stopOnSignal(server, () => guard.close())
server.on('request', app)
console.log(`listening on ${address}`)

function fail(message) {
  console.error(message)
  process.exit(1)
}
