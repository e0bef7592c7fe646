// One origin for the page, the sign-in and the API, as a reverse proxy would make it: no CORS, and the strictest policy.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { extname } from 'node:path'

const { ISSUER = 'http://127.0.0.1:8080', ORDERS = 'http://127.0.0.1:3000', LISTEN = '127.0.0.1:3001' } = process.env

const PAGE = new URL('page/', import.meta.url)
const CLIENT = new URL('../../sdk/js/client/dist/', import.meta.url)
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' }
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
}

const server = createServer((incoming, response) => {
  const { pathname } = new URL(incoming.url, 'http://page')
  if (pathname.startsWith('/api/')) return pass(incoming, response, ISSUER)
  if (/^\/orders(\/|$)/.test(pathname)) return pass(incoming, response, ORDERS)
  return serve(pathname, response)
})
const [host, port] = LISTEN.split(':')
server.listen(Number(port), host)
await once(server, 'listening')
console.log(`listening on http://${host}:${server.address().port}`)
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close()
    server.closeAllConnections()
  })
}

/** A file of the page, or of the client. Only plain names: nothing outside of the two folders. */
async function serve(pathname, response) {
  const [, folder, name = 'index.html'] = /^\/(client\/)?([a-z]+\.(?:html|js|css))?$/.exec(pathname) ?? []
  const file = new URL(name, folder ? CLIENT : PAGE)
  const text = await readFile(file).catch(() => undefined)
  const isThere = text !== undefined && (pathname === '/' || pathname.endsWith(name))
  response.writeHead(isThere ? 200 : 404, { ...HEADERS, 'content-type': isThere ? TYPES[extname(name)] : 'text/plain' })
  response.end(isThere ? text : 'There is nothing here.')
}

/** Passes a request on as it is. */
function pass(incoming, response, to) {
  const { method, headers, url } = incoming
  const outgoing = request(new URL(url, to), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers)
    answer.pipe(response)
  })
  outgoing.on('error', () => {
    if (response.headersSent) return response.destroy()
    response.writeHead(502, { 'content-type': 'application/problem+json' })
    return response.end(JSON.stringify({ status: 502, code: 'unreachable', detail: `${to} does not answer.` }))
  })
  incoming.pipe(outgoing)
}
