import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Seen {
  method: string
  path: string
  authorization: string | undefined
}

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown

/** The network between the client and the server: counts, loses answers, and serves the pages that the tests need. */
export class Network {
  /** Where the server is. */
  upstream = ''
  readonly seen: Seen[] = []
  /** How many refreshes are under way, and were at most. */
  refreshing = 0
  refreshingAtMost = 0
  /** How many answers were lost. */
  lost = 0
  /** Whether the answer to a request is lost on its way, after the server has given it. */
  loses: (path: string) => boolean = () => false
  /** Answers of the network itself, by path. */
  readonly pages = new Map<string, Answer>()
  /** What is asked before a request is passed on. */
  before: (seen: Seen) => Promise<void> | void = () => {}
  readonly #http: HttpServer

  private constructor(http: HttpServer) {
    this.#http = http
  }

  static async start(upstream = ''): Promise<Network> {
    const http = createServer()
    const network = new Network(http)
    network.upstream = upstream
    http.on('request', (incoming, response) => void network.#answer(incoming, response))
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    return network
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  close(): void {
    this.#http.close()
    this.#http.closeAllConnections()
  }

  /** How many requests there were. */
  count(method: string, path: string): number {
    return this.seen.filter((one) => one.method === method && one.path === path).length
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(incoming.url!, this.url)
    const seen = { method: incoming.method!, path: pathname, authorization: incoming.headers.authorization }
    this.seen.push(seen)
    const page = this.pages.get(pathname)
    if (page) return void page(incoming, response)
    const isRefresh = seen.method === 'POST' && pathname === '/api/refresh'
    if (isRefresh) this.refreshingAtMost = Math.max(this.refreshingAtMost, (this.refreshing += 1))
    try {
      await this.before(seen)
      const answer = await this.#pass(incoming)
      if (this.loses(pathname)) {
        this.lost += 1
        return void response.destroy()
      }
      // One connection a request: on one that is used again, a browser repeats a request by itself.
      response.writeHead(answer.status, { ...answer.headers, connection: 'close' }).end(answer.body)
    } catch {
      response.destroy()
    } finally {
      if (isRefresh) this.refreshing -= 1
    }
  }

  /** The whole answer of the server. */
  #pass(incoming: IncomingMessage): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const { method, headers } = incoming
      const outgoing = request(new URL(incoming.url!, this.upstream), { method, headers, agent: false }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, body: Buffer.concat(chunks) }))
        answer.on('error', reject)
      })
      outgoing.on('error', reject)
      incoming.pipe(outgoing)
    })
  }
}

/** Chance that is the same each time (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A clock that can be moved on. */
export class MovedClock {
  #ahead = 0
  readonly slept: number[] = []

  now = (): number => performance.now() + this.#ahead

  /** Nobody waits: time goes on instead. */
  sleep = async (ms: number): Promise<void> => {
    this.slept.push(ms)
    this.#ahead += ms
  }

  advance(ms: number): void {
    this.#ahead += ms
  }
}
