import { once } from 'node:events'
import { createServer } from 'node:http'

import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { createGuard, requireScope } from '@symbolon/guard'
import { protect } from '@symbolon/guard/express'
import express from 'express'

import { Notes } from './notes.js'

const { ISSUER, LISTEN = '127.0.0.1:3000' } = process.env
if (!ISSUER) fail('ISSUER is not set: the address of the Symbolon server, such as http://127.0.0.1:8080')
const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(LISTEN) ?? fail(`LISTEN is no HOST:PORT: ${LISTEN}`)

// With port 0 the address is known only now.
const server = createServer().listen(Number(port), host)
await once(server, 'listening').catch((error) => fail(error.message))
const address = `http://${host.includes(':') ? `[${host}]` : host}:${server.address().port}`
const resource = process.env.RESOURCE ?? `${address}/mcp`

// The guard: from here …
const READ = 'notes:read'
const WRITE = 'notes:write'
const guard = await createGuard({
  issuer: ISSUER,
  audience: resource,
  resource,
  scopes: [READ, WRITE],
  challengeScopes: [READ],
}).catch((error) => fail(error.message))
const mayRead = protect(guard, requireScope(READ))
const mayWrite = protect(guard, requireScope(WRITE))
// … to here. Each of the two lets through whose token is for this server and has the scope.

const notes = new Notes()
const app = express().disable('x-powered-by').disable('etag')

// RFC 9728 section 3.1: the path of the resource stands behind the well-known part.
const { pathname, origin } = new URL(resource)
const metadata = `/.well-known/oauth-protected-resource${pathname.replace(/\/$/, '')}`
app.get(metadata, (req, res) => res.json(guard.resourceMetadata()))

app.use('/mcp', ofOwnPages)
app.post('/mcp', express.json({ limit: '64kb' }), mayCall, async (req, res) => {
  // Without sessions: a server and a transport for each request.
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true })
  const tools = notes.tools()
  res.on('close', () => tools.close())
  await tools.connect(transport)
  await transport.handleRequest(req, res, req.body)
})
app.all('/mcp', mayRead, (req, res) => res.set('Allow', 'POST').sendStatus(405))
app.use(onError)

// A page elsewhere must not call a server on this machine (MCP, streamable HTTP: the header Origin is checked).
function ofOwnPages(req, res, next) {
  const from = req.headers.origin
  return from === undefined || from === origin ? next() : res.sendStatus(403)
}

// A tool that changes something needs more than one that reads: 403 `insufficient_scope` names it.
function mayCall(req, res, next) {
  const writes = [req.body].flat().some((message) => message?.method === 'tools/call' && message.params?.name !== 'list_notes')
  return (writes ? mayWrite : mayRead)(req, res, next)
}

// A body that cannot be read (JSON-RPC 2.0 section 5.1), and faults, of which nothing is told.
function onError(error, req, res, next) {
  if (res.headersSent) return next(error)
  const unread = error.status >= 400 && error.status < 500
  if (!unread) console.error(error)
  const told = unread ? { code: -32700, message: 'Parse error' } : { code: -32603, message: 'Internal error' }
  return res.status(unread ? error.status : 500).json({ jsonrpc: '2.0', error: told, id: null })
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    guard.close()
    server.close()
    server.closeIdleConnections()
  })
}
server.on('request', app)
console.log(`listening on ${address}`)

function fail(message) {
  console.error(message)
  process.exit(1)
}
