import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { SignJWT, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose'

import { feedKey, type Kind } from '../dist/entry.js'
import { until } from './until.js'

export const AUDIENCE = 'https://api.example'

/** One connection of the feed, as the issuer sees it. */
export class Connection {
  readonly lastEventId: string | undefined
  readonly #response: ServerResponse

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.lastEventId = request.headers['last-event-id'] as string | undefined
    this.#response = response
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  }

  get isOpen(): boolean {
    return !this.#response.destroyed
  }

  send(text: string): void {
    this.#response.write(text)
  }

  snapshot({ epoch = 'e1', seq = 0, now = Math.floor(Date.now() / 1000), entries = [] as object[] } = {}): void {
    this.send(`event: snapshot\nid: ${epoch}:${seq}\ndata: ${JSON.stringify({ epoch, seq, now, entries })}\n\n`)
  }

  revocation(entry: { seq: number }, epoch = 'e1'): void {
    this.send(`event: revocation\nid: ${epoch}:${entry.seq}\ndata: ${JSON.stringify(entry)}\n\n`)
  }

  heartbeat(seq: number, now = Math.floor(Date.now() / 1000)): void {
    this.send(`event: heartbeat\ndata: ${JSON.stringify({ now, seq })}\n\n`)
  }

  /** The connection ends in good order. */
  end(): void {
    this.#response.end()
  }

  /** The connection breaks. */
  cut(): void {
    this.#response.destroy()
  }
}

export function entry(seq: number, kind: Kind, id: string, more: object = {}): { seq: number } {
  const common = { seq, kind, key: feedKey(kind, id), effect: 'revoked', until: Math.floor(Date.now() / 1000) + 900 }
  return { ...common, ...more }
}

/** A real issuer on a port of this machine, whose every answer the test decides. */
export class TestIssuer {
  readonly connections: Connection[] = []
  /** Greets each connection of the feed; nothing: it stays silent. */
  greet: (connection: Connection) => void = (connection) => {
    connection.snapshot()
    connection.heartbeat(0)
  }
  /** Whether the feed lets a request in. It answers what it does not. */
  admit: (request: IncomingMessage, response: ServerResponse) => boolean = () => true
  /** The path and the header `Authorization` of each request. */
  readonly asked: { path: string; authorization: string | undefined }[] = []
  metadata: Record<string, unknown> = {}
  keys: JWK[] = []
  jwksRequests = 0
  /** Whether the keys can be read. */
  jwksWork = true
  /** Answers of the verification URI. */
  verify: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.writeHead(200).end()
  verifyRequests = 0
  readonly url: string
  readonly #server: Server
  #signer: { key: CryptoKey; kid: string } | undefined

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', (request, response) => this.#answer(request, response))
  }

  static async start(): Promise<TestIssuer> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const issuer = new TestIssuer(server)
    const { url } = issuer
    issuer.metadata = {
      issuer: url,
      jwks_uri: `${url}/jwks`,
      revocation_feed_uri: `${url}/feed`,
      revocation_stream_uri: `${url}/stream`,
      verification_uri: `${url}/verify`,
    }
    await issuer.rotate('k1')
    return issuer
  }

  /** Signs with a new key from now on; publishes it unless told not to. */
  async rotate(kid: string, publish = true): Promise<JWK> {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    this.#signer = { key: privateKey, kid }
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }
    if (publish) this.keys.push(jwk)
    return jwk
  }

  /** A token that lives for a quarter of an hour. */
  async sign(claims: Record<string, unknown> = {}): Promise<string> {
    const { key, kid } = this.#signer ?? assertNever()
    const iat = Math.floor(Date.now() / 1000)
    const payload = { sub: 'u1', jti: 't1', client_id: 'symbolon', sid: 's1', ver: 1, scope: '', roles: [], iat, exp: iat + 900, ...claims }
    return new SignJWT({ iss: this.url, aud: AUDIENCE, ...payload }).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid }).sign(key)
  }

  /** The connection of the feed of this number, once it is there. */
  async connection(number: number): Promise<Connection> {
    await until(() => this.connections.length > number, `connection ${number} of the feed`)
    return this.connections[number] ?? assertNever()
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.asked.push({ path: request.url ?? '', authorization: request.headers.authorization })
    switch (request.url) {
      case '/.well-known/oauth-authorization-server':
        return void response.end(JSON.stringify(this.metadata))
      case '/jwks':
        this.jwksRequests += 1
        return void (this.jwksWork ? response.end(JSON.stringify({ keys: this.keys })) : response.writeHead(500).end())
      case '/stream': {
        if (!this.admit(request, response)) return
        const connection = new Connection(request, response)
        this.connections.push(connection)
        return this.greet(connection)
      }
      case '/verify':
        this.verifyRequests += 1
        return this.verify(request, response)
      default:
        return void response.writeHead(404).end()
    }
  }
}

function assertNever(): never {
  throw new Error('not there')
}
